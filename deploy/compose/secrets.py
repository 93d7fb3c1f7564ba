"""`./kuji compose init`: everything docker-compose.yml mounts, made once below one folder that is never committed.

The folder is 0700; files in it are readable for the containers' users. A second run changes nothing.
"""

import json
import secrets
from pathlib import Path

from deploy.local.secrets import Secrets
from shared.contracts import SERVICES
from shared.messaging.access import User, definitions


def make(folder: Path, *, rehearsal: bool) -> bool:
    """Whether anything was made. `rehearsal` lets the services follow the clock file in `clock/`."""
    if (folder / "secrets").exists():
        return False
    for part in ("rabbitmq", "mongo", "clock", "mailbox"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    (folder / "mailbox").chmod(0o777)
    made = Secrets.make(folder / "secrets")
    admin = secrets.token_urlsafe(18)
    users = [User("admin", admin), *(User(name, password, service=name) for name, password in made.amqp.items())]
    _write(folder / "rabbitmq" / "definitions.json", json.dumps(definitions(users)))
    _write(folder / "mongo" / "keyfile", secrets.token_hex(32))
    databases = {f"kuji_{service}": password for service, password in made.mongo.items()}
    _write(folder / "mongo" / "users.json", json.dumps({"admin": admin, "users": databases}))
    for service in SERVICES:
        _write(
            folder / f"{service}.env", "".join(f"{k}={v}\n" for k, v in environment(made, service, rehearsal).items())
        )
        (folder / f"{service}.env").chmod(0o600)
    for path in (folder / "secrets").iterdir():
        path.chmod(0o644)
    return True


def environment(made: Secrets, service: str, rehearsal: bool) -> dict[str, str]:  # noqa: FBT001
    """The `KUJI_…` variables of one service: its own credentials, and no other's."""
    database = f"kuji_{service}"
    own = {
        "vault": {
            "KUJI_KEYSTORE_DIR": "/keystore",
            "KUJI_PASSPHRASE_FILE": "/run/kuji/passphrase",
            "KUJI_RELAY_HOST": "0.0.0.0",
            "KUJI_RELAY_PORT": "2525",
            "KUJI_RELAY_CERT_FILE": "/run/kuji/relay.crt",
            "KUJI_RELAY_KEY_FILE": "/run/kuji/relay.key",
            "KUJI_RELAY_PASSWORD_FILE": "/run/kuji/relay-password",
            **({"KUJI_MTA_HOST": "mailbox", "KUJI_MTA_PORT": "2500", "KUJI_MTA_SECURITY": "none"} if rehearsal else {}),
        },
        "notifier": {
            "KUJI_RELAY_HOST": "vault",
            "KUJI_RELAY_PORT": "2525",
            "KUJI_RELAY_CA_FILE": "/run/kuji/authority.crt",
            "KUJI_RELAY_PASSWORD_FILE": "/run/kuji/relay-password",
            **({"KUJI_GATHER_S": "1.5", "KUJI_MAIL_WAITS_S": "[0.5,1,2]"} if rehearsal else {}),
        },
    }
    return {
        "KUJI_AMQP_URL": f"amqp://{service}:{made.amqp[service]}@rabbitmq:5672/",
        "KUJI_MONGO_URL": f"mongodb://{database}:{made.mongo[service]}@mongo:27017/?replicaSet=kuji&authSource={database}",
        "KUJI_MONGO_DATABASE": database,
        "KUJI_OPS_TOKEN_FILE": "/run/kuji/ops-token",
        **({"KUJI_CLOCK_FILE": "/clock/clock.json"} if rehearsal else {}),
        **own.get(service, {}),
    }


def _write(path: Path, content: str) -> None:
    path.write_text(content, "utf-8")
    path.chmod(0o644)
