"""Settings common to all services: one frozen object, read once from the environment (`KUJI_…`)."""

from pathlib import Path
from typing import Literal

from pydantic import Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import ConfigurationError


class ServiceSettings(BaseSettings):
    """Defaults are safe: loopback only, no sign-in of staff without origins, system clock."""

    model_config = SettingsConfigDict(env_prefix="KUJI_", frozen=True, extra="ignore")

    amqp_url: SecretStr = Field(
        description="RabbitMQ, amqp(s)://user:password@host:port/vhost; nodes of a cluster as host1:port,host2:port"
    )
    mongo_url: SecretStr = Field(description="MongoDB replica set, mongodb://…")
    mongo_database: str = Field(description="this service's own database")
    namespace: str = Field(
        "", description="prefix of queue and exchange names, so that installations can share a broker"
    )
    queue_copies: int = Field(
        1, ge=1, description="nodes of the broker on which each queue should lie; readiness has an alarm below"
    )
    queue_status_url: str = Field(
        "",
        description="management interfaces of the broker's nodes, http(s)://host:port separated by commas; asked for "
        "the copies of queues, as the user of KUJI_AMQP_URL",
    )
    campaigns_dir: Path = Field(Path("deploy/campaigns"), description="folder of campaign files (*.yaml)")
    state_dir: Path = Field(description="folder of this service's own files (keys, checkpoints); mode 0700")
    service_keys_dir: Path = Field(
        description="folder with this service's private key and the public keys of all services (`<service>.key`, "
        "`public-keys.json`)"
    )
    tls_ca_file: Path | None = Field(
        None, description="certificate of the installation's authority, PEM; with it broker and database only by TLS"
    )
    tls_cert_file: Path | None = Field(
        None, description="this service's private key and certificate in one PEM file, which the servers ask for"
    )
    one_host_network: bool = Field(
        False,
        description="true only where names without a dot are containers on networks of this one host, as in "
        "docker-compose.yml: they are reached without TLS; every other host needs it",
    )
    http_tls: Literal["none", "server", "mutual"] = Field(
        "none",
        description="TLS on http_port with that certificate, for a front on another host; `mutual` takes only clients "
        "with a certificate of the authority",
    )
    http_host: str = Field("127.0.0.1", description="address to listen on")
    http_port: int = Field(0, ge=0, le=65535, description="port to listen on")
    ops_token_file: Path | None = Field(
        None, description="file with the token of programs that read the lengths of queues; it opens nothing else"
    )
    origins: dict[str, str] = Field(
        {},
        description='addresses of the staff pages by service, JSON (`{"vault": "https://vault.example", …}`), each '
        "with a host name of its own; without it no person signs in",
    )
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description="addresses of the TLS front, JSON; its `X-Forwarded-For` and `X-Forwarded-Proto` are believed, and "
        "those of no other caller",
    )
    clock_file: Path | None = Field(None, description="rehearsals only: file of the rehearsal clock")
    log_level: str = Field("info", description="debug, info, warning or error")
    timeout_s: float = Field(
        15.0,
        gt=0,
        description="longest wait for a server's answer, seconds; longer than MongoDB's election (10 s at most)",
    )
    shutdown_s: float = Field(20.0, gt=0, description="longest wait for work in flight after SIGTERM, seconds")
    retry_delays_s: tuple[int, ...] = Field((1, 10, 60), description="waits before each repeated attempt, seconds")


def read_secret(file: Path, setting: str) -> str:
    """Read a secret from a file of its own. Raises ConfigurationError with the setting's name, never the content."""
    try:
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"{setting} cannot be read ({error.strerror}); see that it exists") from None
