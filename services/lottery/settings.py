"""Settings of the lottery."""

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


class LotterySettings(ServiceSettings):
    """Settings of the lottery besides those of every service."""

    mongo_database: str = Field("kuji_lottery", description="the lottery's own database")
    vault_key_file: Path | None = Field(
        None, description="file with the vault's public signing key, which signs who signed in; without it nobody can"
    )
    tick_s: float = Field(0.5, gt=0, description="seconds between two runs of the scheduler")
