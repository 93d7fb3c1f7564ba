"""Settings of intake. Each has a safe default; the servers' addresses come from the installation."""

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """`KUJI_…` variables of the intake process."""

    mongo_database: str = Field("kuji_intake", description="intake's own database")
    http_port: int = Field(8101, ge=0, le=65535, description="port of the public API")
    body_timeout_s: float = Field(10.0, gt=0, description="longest wait for a request body, seconds")
    paper_token_file: Path | None = Field(
        None, description="file with the token of the tools that send paper; without it none is taken"
    )
    paper_timeout_s: float = Field(60.0, gt=0, description="longest wait for the body of a paper (8 MiB), seconds")
    watch_s: float = Field(0.5, gt=0, description="how often closings and erasures due are looked for, seconds")

    @property
    def settle_s(self) -> float:
        """Longest that an application can be under way: body read, noted, published, confirmed (seconds)."""
        return 4 * self.timeout_s
