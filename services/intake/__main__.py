"""`python -m services.intake`"""

from services.intake.app import build
from services.intake.settings import IntakeSettings
from shared.service import serve


def main() -> None:
    settings = IntakeSettings()
    serve(build(settings), settings, "intake")


if __name__ == "__main__":
    main()
