"""`./kuji compose init`: everything docker-compose.yml mounts, below one folder that is never committed.

The folder is 0700, closed to other users of the machine; its files can be read by the containers' users,
each of which sees its own part only. Passwords are made once; what follows from the contracts is renewed each time.
"""

import json
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from deploy.compose import tls, witness
from deploy.compose.front import Front, mail_network, set_variables, trusted_address
from deploy.compose.record import APPROVE_PORT, approve_origin, origin
from deploy.local.secrets import Secrets
from deploy.local.service_keys import KeyFolders
from shared.contracts import SERVICES
from shared.errors import ConfigurationError
from shared.files import write_atomic
from shared.messaging.access import User, definitions

PIN: Final = "vault-signing-key"
"""The vault's public signing key, which intake's pages pin. The vault makes it at its first start (`pin`)."""

Names = Mapping[str, Sequence[str]]

_PINNED: Final = ("intake", "lottery", "notifier", witness.PINS)

AMQP_URL, MONGO_URL = "kuji_amqp_url", "kuji_mongo_url"
"""Files of the settings of these names (`KUJI_SECRETS_DIR`)."""

_CLOCK = {"KUJI_CLOCK_FILE": "/clock/clock.json"}
_MAILBOX = {"KUJI_MTA_HOST": "mailbox", "KUJI_MTA_PORT": "2500", "KUJI_MTA_SECURITY": "none"}


@dataclass(frozen=True)
class Made:
    """Result of `make`. `new`: secrets were created; `renewed`: parts with a new certificate, to be restarted."""

    new: bool
    renewed: tuple[str, ...] = ()


def make(folder: Path, *, rehearsal: bool, front: Front | None = None, tls_names: Names | None = None) -> Made:
    """Create what is missing, and return what was done. `rehearsal`: services follow the file in `clock/`.

    `front`: the TLS front from now on; without it a front that was set before stays. `tls_names`: TLS to
    broker and database from now on, with further names of parts; it stays, too.

    Raises ConfigurationError where the folder was made for the other purpose.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    new = not (folder / "vault.env").exists()
    if new:
        _make_secrets(folder)
        for service in SERVICES:
            lines = [f"{name}={value}\n" for name, value in environment(service, rehearsal=rehearsal).items()]
            write_atomic(folder / f"{service}.env", "".join(lines).encode())
    elif rehearsal != ("KUJI_CLOCK_FILE" in (folder / "vault.env").read_text("utf-8")):
        raise ConfigurationError(f"{folder} was made for the other purpose; set KUJI_COMPOSE_DIR to another folder")
    set_variables(folder / "front.env", {})
    if front is not None:
        _put_behind(front, folder)
    service_keys(folder).make()
    witness.make(folder)
    _pin_missing(folder)
    renewed = list[str]()
    if tls_names is not None or tls.is_on(folder):
        renewed = _put_under_tls(folder, tls_names or {})
    tls.write_server_files(folder)
    users = [User(service, _password(folder, service), service) for service in SERVICES]
    _write(folder / "rabbitmq" / "definitions.json", json.dumps(definitions(users)))
    return Made(new, tuple(renewed))


def _put_behind(front: Front, folder: Path) -> None:
    """Give the services their addresses behind the front, and the front what it reads."""
    front.write(folder)
    origins = json.dumps({name: front.origin(name) for name in SERVICES})
    for service in SERVICES:
        trusted = json.dumps([trusted_address(service)])
        set_variables(folder / f"{service}.env", {"KUJI_ORIGINS": origins, "KUJI_TRUSTED_PROXIES": trusted})
    set_variables(folder / "vault.env", {"KUJI_APPROVE_ORIGIN": front.approve_origin})


def _put_under_tls(folder: Path, names: Names) -> list[str]:
    """Make certificates, and change the addresses of broker and database to TLS; the next start takes them.

    Return the parts whose certificate is new.
    """
    renewed = tls.make(folder, names)
    for service in SERVICES:
        for name, secured in ((AMQP_URL, tls.secure_amqp), (MONGO_URL, tls.secure_mongo)):
            file = folder / service / name
            _write(file, secured(file.read_text("utf-8")))
    users = folder / "mongo" / "users.json"
    query = tls.mongo_query(Path("/run/kuji") / tls.SERVER_FOLDER)
    _write(users, json.dumps({**json.loads(users.read_text("utf-8")), "query": query}))
    return renewed


def service_keys(folder: Path) -> KeyFolders:
    """Return the key folders of the services, which are what their containers mount."""
    return KeyFolders({service: folder / service for service in SERVICES}, mode=0o644)


def pin(folder: Path, signing_key: str) -> None:
    """Hand the vault's public key (base64url) to the services and the witness, which trust it, once it is known.

    From then on intake's form is open, and staff can sign in at lottery and notifier.
    """
    for service in _PINNED:
        _write(folder / service / PIN, signing_key)


def _pin_missing(folder: Path) -> None:
    """Give the pin that intake has to each part that came with a later version, as the witness did."""
    known = (folder / "intake" / PIN).read_text("utf-8")
    for part in _PINNED:
        if not (folder / part / PIN).exists():
            _write(folder / part / PIN, known)


_UNLIMITED: Final = {
    "KUJI_APPLICATIONS_PER_MINUTE": "0",
    "KUJI_LOOKUPS_PER_MINUTE": "0",
    "KUJI_WORK_BITS": "0",
}
"""Limits of intake in a rehearsal, in which all applications come from one address."""


def environment(service: str, *, rehearsal: bool) -> dict[str, str]:
    """Return the `KUJI_…` variables of one service; none is a secret."""
    own = {
        "intake": {
            "KUJI_SIGNING_KEY_FILE": f"/run/kuji/{PIN}",
            "KUJI_PAPER_TOKEN_FILE": "/run/kuji/paper-token",
            **(_UNLIMITED if rehearsal else {}),
        },
        "lottery": {"KUJI_VAULT_KEY_FILE": f"/run/kuji/{PIN}"},
        "vault": {
            "KUJI_KEYSTORE_DIR": "/keystore",
            "KUJI_PASSPHRASE_FILE": "/run/kuji/passphrase",
            "KUJI_APPROVE_HOST": "0.0.0.0",
            "KUJI_APPROVE_PORT": str(APPROVE_PORT),
            "KUJI_APPROVE_ORIGIN": approve_origin(),
            "KUJI_SETUP_TOKEN_FILE": "/run/kuji/setup-token",
            "KUJI_BOUNCE_HOST": "0.0.0.0",
            "KUJI_BOUNCE_PORT": "2526",
            "KUJI_BOUNCE_CERT_FILE": "/run/kuji/bounces.crt",
            "KUJI_BOUNCE_KEY_FILE": "/run/kuji/bounces.key",
            "KUJI_BOUNCE_CLIENTS": json.dumps([mail_network()]),
            **({**_MAILBOX, "KUJI_CHECKPOINT_S": "1"} if rehearsal else {}),
        },
        "notifier": {
            "KUJI_VAULT_KEY_FILE": f"/run/kuji/{PIN}",
            **({"KUJI_GATHER_S": "1.5", "KUJI_MAIL_WAITS_S": "[0.5,1,2]"} if rehearsal else {}),
        },
    }
    return {
        "KUJI_SECRETS_DIR": "/run/kuji",
        "KUJI_SERVICE_KEYS_DIR": "/run/kuji",
        "KUJI_OPS_TOKEN_FILE": "/run/kuji/ops-token",
        "KUJI_ORIGINS": json.dumps({name: origin(name) for name in SERVICES}),
        **(_CLOCK if rehearsal else {}),
        **own.get(service, {}),
    }


def _make_secrets(folder: Path) -> None:
    for part in ("clock", "mailbox"):
        (folder / part).mkdir(exist_ok=True)
    (folder / "mailbox").chmod(0o777)
    with tempfile.TemporaryDirectory(dir=folder) as draft:
        made = Secrets.make(Path(draft) / "made")
        for service in SERVICES:
            for name, source in _files(made, service).items():
                _write(folder / service / name, source.read_text("utf-8"))
    for service in SERVICES:
        _write(folder / service / AMQP_URL, f"amqp://{service}:{made.amqp[service]}@rabbitmq:5672/")
        account = f"kuji_{service}:{made.mongo[service]}"
        address = f"mongo:27017/?replicaSet=kuji&authSource=kuji_{service}"
        _write(folder / service / MONGO_URL, f"mongodb://{account}@{address}")
    pin(folder, "not known yet: ./kuji compose pin")
    databases = {f"kuji_{service}": password for service, password in made.mongo.items()}
    _write(folder / "mongo" / "users.json", json.dumps({"admin": secrets.token_urlsafe(18), "users": databases}))
    _write(folder / "mongo" / "keyfile", secrets.token_hex(32))


def _files(made: Secrets, service: str) -> Mapping[str, Path]:
    """Return the files that one service mounts: name in the container → file of `made`."""
    own = {
        "vault": {
            "passphrase": made.passphrase_file,
            "setup-token": made.setup_token_file,
            "bounces.crt": made.certificate_file,
            "bounces.key": made.private_key_file,
        },
        "intake": {"paper-token": made.paper_token_file},
    }
    return {"ops-token": made.ops_file(service), **own.get(service, {})}


def _password(folder: Path, service: str) -> str:
    """Return the password of the service's RabbitMQ user."""
    return urlsplit((folder / service / AMQP_URL).read_text("utf-8")).password or ""


def _write(path: Path, content: str) -> None:
    """Write a file that a container's user can read, whatever its id; the folder above is closed to all others."""
    path.parent.mkdir(exist_ok=True)
    path.parent.chmod(0o755)
    path.write_text(content, "utf-8")
    path.chmod(0o644)
