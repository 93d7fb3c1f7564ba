"""Settings of the notifier."""

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


class NotifierSettings(ServiceSettings):
    mongo_database: str = Field("kuji_notifier", description="the notifier's own database")
    relay_host: str = Field("localhost", description="host of the vault's mail relay, as its certificate names it")
    relay_port: int = Field(2525, ge=1, le=65535, description="port of the vault's mail relay")
    relay_ca_file: Path = Field(description="certificate of the authority that signed the relay's, PEM")
    relay_password_file: Path = Field(description="file with the password of the account `notifier` at the relay")
    relay_domain: str = Field("relay.kuji.internal", description="domain of token addresses")
    connections: int = Field(8, ge=1, le=50, description="mail sessions at the same time")
    smtp_timeout_s: float = Field(30.0, gt=0, description="longest wait for an answer of the relay, seconds")
    mail_waits_s: tuple[float, ...] = Field(
        (60, 300, 1800, 3600, 7200), description="waits before each repetition after 4xx, seconds; then by post"
    )
    pace_per_s: dict[str, float] = Field(
        {}, description="most recipients a second by class of mail domain, JSON; classes not named are not slowed"
    )
    lease_s: float = Field(120.0, gt=0, description="after this long a notice whose sender died is taken over, seconds")
    gather_s: float = Field(60.0, ge=0, description="longest that a batch that is not full waits for more, seconds")
    poll_s: float = Field(0.5, gt=0, description="how often work is looked for, seconds")
