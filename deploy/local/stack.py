"""A whole installation on one machine: the servers, and the four services as four processes."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Self

from deploy.local import external_servers
from deploy.local.beacon import start_beacon
from deploy.local.paths import ROOT
from deploy.local.ports import free_ports, origins
from deploy.local.processes import Child, Watchdog, is_ready, open_here
from deploy.local.secrets import Secrets
from deploy.local.servers import Servers
from deploy.local.witness import LocalWitness
from shared.contracts import SERVICES
from shared.files import write_atomic

READY_S = 120.0
"""Longest wait for a service to answer and to be attached to its queues."""


@dataclass(frozen=True)
class Options:
    """Options of an installation. `clock_file` works only with campaigns that are rehearsals."""

    campaigns_dir: Path
    clock_file: Path | None = None
    services: Sequence[str] = SERVICES
    more: Mapping[str, str] | None = None


class Stack:
    """Start with `with`, or `start` and `stop`. Nothing of it outlives the process that made it."""

    def __init__(
        self, home: Path, options: Options, *, watchdog: Watchdog, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self.home, self.options, self._watchdog, self._tell = home, options, watchdog, tell
        self.servers = Servers(home, watchdog=watchdog)
        self.secrets = Secrets.make(home / "secrets")
        *http, self.bounce_port, self.approve_port, witness_port = free_ports(len(SERVICES) + 3)
        self.witness = LocalWitness(home / "witness", self.pin_file, witness_port)
        self.ports = dict(zip(SERVICES, http, strict=True))
        self._mark = os.environ.get("KUJI_NAMESPACE", f"k{token_hex(4)}")
        self._children: dict[str, Child] = {}
        self._beside: list[Child] = []

    def start(self) -> Self:
        """Start servers and services. Raises LocalError, with nothing left running."""
        try:
            options = self.options
            beacon = start_beacon(options.campaigns_dir, options.clock_file, self.log("relay"), self._watchdog)
            self._beside += [] if beacon is None else [beacon]
            if "vault" in options.services:
                self._beside.append(self.witness.start(self.log("witness"), self._watchdog))
            self._tell("RabbitMQ, MongoDB, mailbox")
            if self.servers.external_amqp is not None:
                external_servers.prepare_broker(self.servers.external_amqp, self.namespace)
            databases = {f"kuji_{service}": password for service, password in self.secrets.mongo.items()}
            self.servers.start(
                amqp_users=self.secrets.amqp, mongo_users=databases, when_database_ready=self._launch_all
            )
            if "vault" in self.options.services:
                self.await_ready(["vault"])
                self._pin_signing_key()
            self.await_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def _pin_signing_key(self) -> None:
        """Give the vault's public key to intake, which an office does by hand. Intake keeps no sealing key before."""
        with open_here(f"{self.url('vault')}/v1/signing-key", READY_S) as answer:
            write_atomic(self.pin_file, json.load(answer)["public_key"].encode("ascii"))

    def stop(self) -> None:
        """Services first, all at once, so that they can finish what they have; then the servers."""
        for child in self._children.values():
            child.signal(signal.SIGTERM)
        if self._children:
            with ThreadPoolExecutor(len(self._children)) as pool:
                list(pool.map(lambda child: child.stop(timeout_s=15), self._children.values()))
        self._children.clear()
        for child in self._beside:
            child.stop(timeout_s=5)
        self._beside.clear()
        self._clear_given()
        self.servers.stop()

    def _clear_given(self) -> None:
        """Remove queues and databases from external servers, unless KUJI_NAMESPACE names them."""
        if "KUJI_NAMESPACE" in os.environ:
            return
        if self.servers.external_amqp is not None:
            external_servers.clear_broker(self.servers.external_amqp, self.namespace)
        if self.servers.external_mongo is not None:
            external_servers.clear_databases(self.servers.external_mongo, map(self.database, SERVICES))

    @property
    def namespace(self) -> str:
        """Of queues. Servers that were given may be shared by several checkouts; private ones are not."""
        return self._mark if self.servers.external_amqp is not None else ""

    def database(self, service: str) -> str:
        """Return the name of a database of this installation alone, so that it never touches a real one."""
        return f"{self._mark}_kuji_{service}" if self.servers.external_mongo is not None else f"kuji_{service}"

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def pid(self, service: str) -> int:
        return self._children[service].pid

    def log(self, service: str) -> Path:
        return self.home / "logs" / f"{service}.log"

    def state_dir(self, service: str) -> Path:
        return self.home / "state" / service

    @property
    def keystore(self) -> Path:
        return self.home / "keystore"

    @property
    def pin_file(self) -> Path:
        return self.home / "vault-signing-key"

    def kill(self, service: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End one service; with SIGTERM it is given time to finish."""
        child = self._children.pop(service)
        if number is signal.SIGTERM:
            child.stop(timeout_s=20)
        else:
            child.signal(number)
            child.kill()

    def restart(self, service: str) -> None:
        """Start a service that was ended, on the same port and state, and wait until it is ready."""
        if service in self._children:
            self.kill(service)
        self._launch(service)
        self.await_ready([service])

    def children(self) -> list[Child]:
        return [*self.servers.children(), *self._beside, *self._children.values()]

    def _launch_all(self) -> None:
        """Launch the services. They need the database to start; a broker that is still away they wait for."""
        self._tell(", ".join(self.options.services))
        for service in self.options.services:
            self._launch(service)

    def _launch(self, service: str) -> None:
        for folder in (self.log(service).parent, self.state_dir(service)):
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
        self._children[service] = Child.start(
            service,
            [sys.executable, "-m", f"services.{service}"],
            env=self.environment(service),
            log=self.log(service),
            watchdog=self._watchdog,
            cwd=ROOT,
        )

    def await_ready(self, services: Sequence[str] | None = None) -> None:
        """Wait until each service answers `/health/ready`. Raises LocalError with the end of its log."""
        ends = time.monotonic() + READY_S
        for service in services or self.options.services:
            child = self._children[service]
            while not is_ready(self.url(service)):
                if not child.running:
                    raise child.failed("ended while starting")
                if time.monotonic() > ends:
                    raise child.failed(f"not ready after {READY_S:.0f} s")
                time.sleep(0.1)

    def environment(self, service: str) -> dict[str, str]:
        """Return the `KUJI_…` variables of one service, with its own credentials only."""
        common = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "KUJI_AMQP_URL": self._amqp_url(service),
            "KUJI_MONGO_URL": self._mongo_url(service),
            "KUJI_MONGO_DATABASE": self.database(service),
            "KUJI_NAMESPACE": self.namespace,
            "KUJI_CAMPAIGNS_DIR": str(self.options.campaigns_dir),
            "KUJI_STATE_DIR": str(self.state_dir(service)),
            "KUJI_HTTP_PORT": str(self.ports[service]),
            "KUJI_SERVICE_KEYS_DIR": str(self.secrets.service_keys.folders[service]),
            "KUJI_OPS_TOKEN_FILE": str(self.secrets.ops_file(service)),
            "KUJI_ORIGINS": json.dumps(origins(self.ports)),
            "KUJI_ONE_HOST_NETWORK": "true",  # for servers given by the name of a container beside this one
            **({"KUJI_CLOCK_FILE": str(self.options.clock_file)} if self.options.clock_file else {}),
        }
        return {**common, **self._own_environment(service), **(self.options.more or {})}

    def _own_environment(self, service: str) -> dict[str, str]:
        if service == "vault":
            return {
                "KUJI_KEYSTORE_DIR": str(self.keystore),
                "KUJI_PASSPHRASE_FILE": str(self.secrets.passphrase_file),
                "KUJI_SETUP_TOKEN_FILE": str(self.secrets.setup_token_file),
                **self.witness.environment,
                "KUJI_LOG_SCAN_DIRS": json.dumps([str(self.home / "logs")]),
                "KUJI_BOUNCE_PORT": str(self.bounce_port),
                "KUJI_APPROVE_PORT": str(self.approve_port),
                "KUJI_APPROVE_ORIGIN": f"http://vault.localhost:{self.approve_port}",
                "KUJI_BOUNCE_CERT_FILE": str(self.secrets.certificate_file),
                "KUJI_BOUNCE_KEY_FILE": str(self.secrets.private_key_file),
                "KUJI_MTA_HOST": "127.0.0.1",
                "KUJI_MTA_PORT": str(self.servers.smtp_port),
                "KUJI_MTA_SECURITY": "none",
            }
        if service == "intake":
            return {
                "KUJI_SIGNING_KEY_FILE": str(self.pin_file),
                "KUJI_PAPER_TOKEN_FILE": str(self.secrets.paper_token_file),
            }
        return {"KUJI_VAULT_KEY_FILE": str(self.pin_file)}

    def _amqp_url(self, service: str) -> str:
        if self.servers.external_amqp is not None:
            return self.servers.external_amqp
        return self.servers.rabbitmq.url(service, self.secrets.amqp[service])

    def _mongo_url(self, service: str) -> str:
        if self.servers.external_mongo is not None or self.servers.mongodb is None:
            return self.servers.mongo_url
        return self.servers.mongodb.url((name := self.database(service)), self.secrets.mongo[service], database=name)

    __enter__ = start

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
