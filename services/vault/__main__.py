"""`python -m services.vault`"""

from services.vault.app import build
from services.vault.settings import VaultSettings
from shared.service import main

if __name__ == "__main__":
    main("vault", VaultSettings, build)
