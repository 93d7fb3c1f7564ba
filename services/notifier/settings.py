"""Settings of the notifier."""

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


class NotifierSettings(ServiceSettings):
    """Settings of one process, read once at its start."""

    mongo_database: str = Field("kuji_notifier", description="the notifier's own database")
    relay_host: str = Field("localhost", description="host of the vault's mail relay, as its certificate names it")
    relay_port: int = Field(2525, ge=1, le=65535, description="port of the vault's mail relay")
    relay_ca_file: Path = Field(description="certificate of the authority that signed the relay's, PEM")
    relay_password_file: Path = Field(description="file with the password of the account `notifier` at the relay")
    relay_domain: str = Field("relay.kuji.internal", description="domain of token addresses")
    connections: int = Field(8, ge=1, le=50, description="parallel mail sessions")
    smtp_timeout_s: float = Field(30.0, gt=0, description="longest wait for an answer of the relay, seconds")
    mail_waits_s: tuple[float, ...] = Field(
        (60, 300, 1800, 3600, 7200), description="waits before each new attempt after 4xx, seconds; then by post"
    )
    pace_per_s: dict[str, float] = Field(
        {}, description="most recipients per second by class of mail domain, JSON; no limit for other classes"
    )
    lease_s: float = Field(
        120.0, gt=0, description="duration of a claim, after which another session takes the notice over, seconds"
    )
    gather_s: float = Field(60.0, ge=0, description="longest wait of a print batch that is not full, seconds")
    poll_s: float = Field(0.5, gt=0, description="time between two checks for due notices, seconds")
