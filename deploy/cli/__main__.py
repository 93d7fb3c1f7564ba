"""`python -m deploy.cli`, which is what `./kuji` hands over to."""

import signal
import sys
from types import FrameType

from deploy.cli.commands import app
from shared.errors import KujiError


def _end(number: int, _frame: FrameType | None) -> None:
    """SIGTERM ends like Ctrl-C does: what was started is stopped."""
    raise SystemExit(128 + number)


def main() -> None:
    signal.signal(signal.SIGTERM, _end)
    try:
        app(prog_name="./kuji")
    except KujiError as error:
        sys.exit(f"kuji: {error}")


if __name__ == "__main__":
    main()
