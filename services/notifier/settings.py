"""Settings of the notifier."""

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


class NotifierSettings(ServiceSettings):
    """Settings of one process, read once at its start."""

    mongo_database: str = Field("kuji_notifier", description="the notifier's own database")
    mail_waits_s: tuple[float, ...] = Field(
        (60, 300, 1800, 3600, 7200), description="waits before each new attempt after 4xx, seconds; then by post"
    )
    pace_per_s: dict[str, float] = Field(
        {}, description="most recipients per second by class of mail domain, JSON; no limit for other classes"
    )
    vault_key_file: Path | None = Field(
        None, description="file with the vault's public signing key, which signs who signed in; without it nobody can"
    )
    single_classes: frozenset[str] = Field(
        frozenset({"docomo", "ezweb", "au", "softbank"}),
        description="classes of mail domains that get an announcement one recipient at a time, JSON",
    )
    release_wait_s: float = Field(
        60.0, gt=0, description="wait for the release of a text before it is ordered again, seconds; doubles to 900"
    )
    silence_s: float = Field(
        86_400.0, gt=0, description="longest wait for an answer of the mail room; then a handler decides, seconds"
    )
    lease_s: float = Field(
        6.0, gt=0, description="time without a sign of life after which another instance orders the mails, seconds"
    )
    gather_s: float = Field(60.0, ge=0, description="longest wait of a print batch that is not full, seconds")
    poll_s: float = Field(0.5, gt=0, description="time between two checks for due notices, seconds")
