"""Settings of the vault; every one has a safe default or must be given."""

from pathlib import Path

from pydantic import Field

from services.vault.printroom.typesetting import FONT_DIRS
from shared.settings import ServiceSettings


class VaultSettings(ServiceSettings):
    mongo_database: str = Field("kuji_vault", description="the vault's own database")
    keystore_dir: Path = Field(description="folder of the keys; outside MongoDB, shared by all vault processes")
    passphrase_file: Path = Field(description="file with the passphrase of the root key; mode 0600")
    log_scan_dirs: tuple[Path, ...] = Field((), description="folders of logs to search for residue at erasure")
    font_dirs: tuple[Path, ...] = Field(FONT_DIRS, description="folders of the fonts of postcards and certificates")
