"""Three MongoDB members as one replica set on loopback, with the settings of `deploy/cluster/replica-set.json`."""

import json
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.mongodb import require_mongod
from deploy.local.paths import ROOT, STATE
from deploy.local.ports import free_ports
from deploy.local.processes import Child, LocalError, Watchdog, await_port
from deploy.mongodb.provision import create_users

_MEMBERS: Final = 3
_UP_S: Final = 120.0
SETTINGS: Final = ROOT / "deploy/cluster/replica-set.json"
_CACHE_GB: Final = "0.25"


class DatabaseCluster:
    """Start with `start`; `members` are child processes by port. `settings`: of the set, beside those of the file."""

    def __init__(self, home: Path, watchdog: Watchdog, settings: Mapping[str, int] | None = None) -> None:
        self.home, self._watchdog = home, watchdog
        self._settings = json.loads(SETTINGS.read_text("utf-8")) | (settings or {})
        self.ports = free_ports(_MEMBERS)
        self.members: dict[int, Child] = {}
        self._password = secrets.token_urlsafe(18)

    def url(self, user: str = "admin", password: str | None = None, database: str = "admin") -> str:
        """Return the setting KUJI_MONGO_URL: all members and the name of the set."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"mongodb://{user}:{password or self._password}@{hosts}/?replicaSet=kuji&authSource={database}"

    def start(self, users: Mapping[str, str]) -> None:
        """Start the members, make the set, the administrator and the services' users. Raises LocalError."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        key_file = self.home / "keyfile"
        key_file.touch(0o600)
        key_file.write_text(secrets.token_hex(32))
        for port in self.ports:
            self._launch(port)
        for port, member in self.members.items():
            await_port(member, port, timeout_s=_UP_S)
        with MongoClient[Any](f"mongodb://127.0.0.1:{self.ports[0]}/", directConnection=True) as client:
            members = [{"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(self.ports)]
            wished = {"_id": "kuji", "members": members, "settings": self._settings}
            client.admin.command("replSetInitiate", wished)
        self._make_administrator()
        create_users(self.url(), users)

    def primary(self) -> int:
        """Return the port of the primary. Raises LocalError if there is none."""
        ends = time.monotonic() + _UP_S
        while time.monotonic() < ends:
            for port in self.ports:
                if self._is_primary(port):
                    return port
            time.sleep(0.5)
        raise LocalError("no member became primary")

    def restart(self, port: int) -> None:
        """Start a killed member again on its data."""
        self._launch(port)
        await_port(self.members[port], port, timeout_s=_UP_S)

    def stop(self) -> None:
        """End all members at once."""
        for member in self.members.values():
            member.kill()
        self.members.clear()

    def _launch(self, port: int) -> None:
        data = self.home / str(port)
        data.mkdir(exist_ok=True, mode=0o700)
        command: list[str | Path] = [
            require_mongod(STATE), "--config", ROOT / "deploy/cluster/mongod.conf",
            "--bind_ip", "127.0.0.1", "--port", str(port),
            "--dbpath", data, "--keyFile", self.home / "keyfile", "--wiredTigerCacheSizeGB", _CACHE_GB,
            "--nounixsocket", "--quiet",
        ]  # fmt: skip
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        log = self.home / f"{port}.log"
        self.members[port] = Child.start(
            f"mongod {port}", command, env=environment, log=log, watchdog=self._watchdog, cwd=self.home
        )

    def _make_administrator(self) -> None:
        port = self.primary()
        with MongoClient[Any](f"mongodb://127.0.0.1:{port}/", directConnection=True) as client:
            client.admin.command("createUser", "admin", pwd=self._password, roles=["root"])

    def _is_primary(self, port: int) -> bool:
        limits = "serverSelectionTimeoutMS=1000&socketTimeoutMS=1000&connectTimeoutMS=1000"
        try:
            with MongoClient[Any](f"mongodb://127.0.0.1:{port}/?{limits}", directConnection=True) as client:
                return bool(client.admin.command("hello")["isWritablePrimary"])
        except PyMongoError:
            return False
