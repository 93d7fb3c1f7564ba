"""Define the settings of intake. Each has a safe default; the installation sets the servers' addresses."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


@dataclass(frozen=True)
class Rates:
    """Limits: requests per address and minute, and of all addresses per second; 0 switches a limit off."""

    applications: int
    lookups: int
    overall: int
    free_per_minute: int = 0
    free_per_second: int = 0
    """Applications of one address and of all addresses that need no proof of work."""


class IntakeSettings(ServiceSettings):
    """`KUJI_…` variables of the intake process."""

    mongo_database: str = Field("kuji_intake", description="intake's own database")
    http_port: int = Field(8101, ge=0, le=65535, description="port of the public API")
    body_timeout_s: float = Field(10.0, gt=0, description="longest wait for a request body, seconds")
    signing_key_file: Path | None = Field(
        None,
        description="file with the vault's public signing key, which pages pin; without it the form stays closed",
    )
    applications_per_minute: int = Field(
        120, ge=0, description="most applications from one address in a minute; a school may share one; 0: no limit"
    )
    lookups_per_minute: int = Field(
        600,
        ge=0,
        description="most status, receipt and postal-code requests from one address in a minute; 0: no limit",
    )
    requests_per_second: int = Field(
        2000, ge=0, description="most requests of each kind from all addresses in a second, per process; 0: no limit"
    )
    work_bits: int = Field(
        18,
        ge=0,
        le=24,
        description="proof of work of an application while many arrive, zero bits; 18 is about a second; 0: never",
    )
    free_per_minute: int = Field(
        60, ge=0, description="applications from one address in a minute that need no proof of work"
    )
    free_per_second: int = Field(
        100, ge=0, description="applications from all addresses in a second, per process, that need no proof of work"
    )
    paper_token_file: Path | None = Field(
        None, description="file with the token of the tools that send paper; without it no paper is accepted"
    )
    paper_timeout_s: float = Field(60.0, gt=0, description="longest wait for the body of a paper (8 MiB), seconds")
    watch_s: float = Field(0.5, gt=0, description="seconds between two checks for campaigns to close or to erase")

    @property
    def rates(self) -> Rates:
        return Rates(
            self.applications_per_minute,
            self.lookups_per_minute,
            self.requests_per_second,
            self.free_per_minute,
            self.free_per_second,
        )

    @property
    def settle_s(self) -> float:
        """Longest time in seconds that a stored application can be under way.

        It has three calls to servers: read the stage, publish, confirm. Each may wait for one earlier batch.
        """
        return 6 * self.timeout_s
