"""A private MongoDB: one member of a replica set (transactions need one), with authentication, loopback only."""

import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.processes import Child, LocalError, Watchdog, await_port
from deploy.mongodb.provision import become_primary, create_users
from shared.storage import TRANSACTION_LIFETIME_S

ENGINE_CONFIG: Final = "eviction_dirty_target=20,eviction_dirty_trigger=40"
"""Shares of the cache, in percent, that may wait to be written.

With MongoDB's own 5 and 20 percent, random keys (ids, receipts, tokens) make it rewrite the same pages again and
again: nearly half of its processor time. See docs/operations.md for the size of the cache.
"""

CACHE_GB: Final = 1

COMPRESSORS: Final = "disabled"
"""No compression of messages: no client asks for it, and zlib gives away memory before any sign-in (CVE-2025-14847)."""

WHEEL_BINARY = Path("fiftyone/db/bin/mongod")


def find_mongod(state: Path) -> Path | None:
    """Return `mongod` from the PATH, else the one unpacked from the wheel below the folder `state`, else None."""
    on_path = shutil.which("mongod")
    unpacked = state / "mongod" / WHEEL_BINARY
    if on_path:
        return Path(on_path)
    if unpacked.exists():
        unpacked.chmod(unpacked.stat().st_mode | stat.S_IXUSR)
        return unpacked
    return None


def require_mongod(state: Path) -> Path:
    """Return what `find_mongod` finds. Raises LocalError, which says where to get one."""
    binary = find_mongod(state)
    if binary is None:
        raise LocalError(
            "there is no mongod: run ./kuji, which unpacks one, or put one on the PATH; KUJI_MONGO_URL names a server "
            "that runs already, where one is enough"
        )
    return binary


@dataclass
class MongoDB:
    """One server below `home`; `start` returns at once, `ready` when it is a primary with its users.

    `config`: file with further settings. `query`: further parameters of its addresses, each after a `&`.
    """

    home: Path
    port: int
    binary: Path
    watchdog: Watchdog
    admin_password: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    children: list[Child] = field(default_factory=list)
    config: Path | None = None
    query: str = ""

    def url(self, user: str = "admin", password: str | None = None, database: str = "admin") -> str:
        """`database` is where the user lives; services have theirs in their own database."""
        credentials = f"{user}:{password or self.admin_password}"
        return f"mongodb://{credentials}@127.0.0.1:{self.port}/?replicaSet=kuji&authSource={database}{self.query}"

    def start(self) -> None:
        data = self.home / "data"
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        data.mkdir(exist_ok=True, mode=0o700)
        key_file = self.home / "keyfile"
        if not key_file.exists():
            key_file.touch(0o600)
            key_file.write_text(secrets.token_hex(32))
        command: list[str | Path] = [
            self.binary, "--replSet", "kuji", "--bind_ip", "127.0.0.1", "--port", str(self.port), "--dbpath", data,
            "--auth", "--keyFile", key_file, "--wiredTigerCacheSizeGB", str(CACHE_GB), "--oplogSize", "200", "--quiet",
            "--wiredTigerEngineConfigString", ENGINE_CONFIG,
            "--setParameter", "diagnosticDataCollectionEnabled=false", "--nounixsocket",
            "--networkMessageCompressors", COMPRESSORS,
            "--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_LIFETIME_S}",
        ]  # fmt: skip
        if self.config is not None:
            command += ["--config", self.config]
        self.children.append(
            Child.start(
                "mongodb", command, env=_plain_environment(), log=self.home / "mongod.log", watchdog=self.watchdog,
                cwd=self.home,
            )
        )  # fmt: skip

    def ready(self, users: Mapping[str, str] | None = None, timeout_s: float = 40.0) -> None:
        """`users`: database → password; each user is called like its database and may write only there."""
        await_port(self.children[-1], self.port, timeout_s=timeout_s)
        try:
            bare = f"mongodb://127.0.0.1:{self.port}/?{self.query.removeprefix('&')}"
            become_primary(bare, f"127.0.0.1:{self.port}", self.admin_password)
            create_users(self.url(), users or {})
        except (PyMongoError, TimeoutError) as error:
            raise self.children[-1].failed(f"cannot be set up ({type(error).__name__})") from error

    def stop(self) -> None:
        for child in self.children:
            child.stop(timeout_s=5)
        self.children.clear()


def reachable(url: str) -> bool:
    """Check whether the MongoDB server of this URL answers."""
    try:
        with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=3000) as client:
            client.admin.command("ping")
    except OperationFailure:
        return True
    except PyMongoError:
        return False
    return True


def _plain_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8"}
