"""A private RabbitMQ node: loopback only, its own Erlang port mapper and cookie, users from a definitions file."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.processes import Child, LocalError, Watchdog, await_closed, await_port
from shared.files import write_atomic
from shared.messaging.access import User, definitions

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


@dataclass(frozen=True)
class Ports:
    amqp: int
    distribution: int
    mapper: int
    management: int | None = None
    """Port of the management interface (HTTP); None leaves it away, which starts sooner."""


@dataclass
class RabbitMQ:
    """One node below `home`; `start` returns at once, `ready` when it takes connections."""

    home: Path
    ports: Ports
    watchdog: Watchdog
    admin_password: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    children: list[Child] = field(default_factory=list)
    more: str = ""
    """Further lines of rabbitmq.conf."""

    declares: bool = True
    """False leaves the topology out of the definitions, for the command that declares it."""

    shares_mapper: bool = False
    """True for a node of a cluster: its port mapper was started before and outlives it."""

    @property
    def node(self) -> str:
        """Return the node's name in a cluster."""
        return f"kuji-{self.ports.amqp}@localhost"

    def url(self, user: str = "admin", password: str | None = None) -> str:
        return f"amqp://{user}:{password or self.admin_password}@127.0.0.1:{self.ports.amqp}/"

    def start(self, passwords: Mapping[str, str] | None = None) -> None:
        """`passwords`: of the services' own users; with them the whole topology is there from the start."""
        if not SERVER.exists():
            raise LocalError("RabbitMQ is not installed: apt-get install rabbitmq-server, or set KUJI_AMQP_URL")
        self._write_files(passwords or {})
        self.launch()

    def launch(self) -> None:
        """Start the node on the files and data that are there."""
        env = self.environment()
        log = self.home / "rabbitmq.log"
        mapper = ["epmd", "-port", str(self.ports.mapper), "-address", "127.0.0.1"]
        commands = [("epmd", mapper), ("rabbitmq", [str(SERVER)])]
        for name, command in commands[1:] if self.shares_mapper else commands:
            self.children.append(Child.start(name, command, env=env, log=log, watchdog=self.watchdog, cwd=self.home))
            if name == "epmd":
                await_port(self.children[-1], self.ports.mapper, timeout_s=30)

    def ready(self, timeout_s: float = 60.0) -> None:
        await_port(self.children[-1], self.ports.amqp, timeout_s=timeout_s)

    def restart(self) -> None:
        """Kill the broker and start it again on the same data: what a crash of the broker is to everybody else."""
        self.stop()
        self.launch()
        self.ready()

    def stop(self) -> None:
        """Messages are on disk once confirmed, so an end without ceremony loses nothing and takes no seconds."""
        for child in reversed(self.children):
            child.kill()
        self.children.clear()
        await_closed(self.ports.amqp)

    def _write_files(self, passwords: Mapping[str, str]) -> None:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        admin = User("admin", self.admin_password)
        reads_status = self.ports.management is not None
        services = [User(name, password, name, reads_status) for name, password in passwords.items()]
        content = definitions([admin, *services])
        if not services or not self.declares:
            content |= {"exchanges": [], "queues": [], "bindings": []}
        write_atomic(self.home / "definitions.json", json.dumps(content).encode())
        write_atomic(self.home / "plugins", b"[]." if self.ports.management is None else b"[rabbitmq_management].")
        settings = (
            f"listeners.tcp.local = 127.0.0.1:{self.ports.amqp}\n"
            f"load_definitions = {self.home / 'definitions.json'}\n"
            "log.file.level = warning\nlog.console = false\n"
            "disk_free_limit.absolute = 100MB\nvm_memory_high_watermark.relative = 0.3\n"
        )
        if self.ports.management is not None:
            settings += f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {self.ports.management}\n"
        settings += self.more
        write_atomic(self.home / "rabbitmq.conf", settings.encode())

    def environment(self) -> dict[str, str]:
        """Return the variables of the node, which its commands need too."""
        home = str(self.home)
        return {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "LANG": "C.UTF-8",
            "ERL_AFLAGS": "-start_epmd false",
            # Else a node whose port mapper is killed a moment before it starts one that belongs to nobody.
            "HOME": home,
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.ports.amqp),
            "RABBITMQ_DIST_PORT": str(self.ports.distribution),
            "RABBITMQ_MNESIA_BASE": f"{home}/data",
            "RABBITMQ_LOG_BASE": f"{home}/log",
            "RABBITMQ_PID_FILE": f"{home}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq.conf",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
            " -kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self.ports.mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
