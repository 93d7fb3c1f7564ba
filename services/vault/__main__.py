"""`python -m services.vault`"""

from services.vault.app import build
from services.vault.settings import VaultSettings
from shared.process_rights import protect_memory
from shared.service import main

if __name__ == "__main__":
    main("vault", VaultSettings, build, prepare=protect_memory)
