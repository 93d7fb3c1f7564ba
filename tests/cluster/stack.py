"""Two instances of each service on the cluster's servers, behind HAProxy with the example file of `deploy/cluster`."""

import json
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from deploy.local.paths import ROOT
from deploy.local.ports import free_ports
from deploy.local.processes import Child, Watchdog
from deploy.local.servers import Servers
from deploy.local.stack import Options, Stack
from shared.contracts import SERVICES
from tests.cluster.brokers import BrokerCluster
from tests.cluster.databases import DatabaseCluster
from tests.support.load_balancer import start_haproxy, statistics_socket

INSTANCES: Final = (1, 2)


class ClusterServers(Servers):
    """Broker and database of three, and the mailbox."""

    def __init__(self, home: Path, *, watchdog: Watchdog, grows: bool) -> None:
        super().__init__(home, watchdog=watchdog, environment={})
        self.brokers = BrokerCluster(home / "rabbitmq", watchdog, grows=grows)
        self.databases = DatabaseCluster(home / "mongodb", watchdog)

    def start(
        self,
        *,
        amqp_users: Mapping[str, str] | None = None,
        mongo_users: Mapping[str, str] | None = None,
        when_database_ready: Callable[[], None] = lambda: None,
    ) -> Self:
        """Start everything one after the other: on two cores that is faster than at once."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self.databases.start(mongo_users or {})
            (self.home / "rabbitmq").mkdir(exist_ok=True, mode=0o700)
            self.brokers.start(amqp_users or {})
            self._start_mailbox()
            when_database_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End everything."""
        super().stop()
        self.brokers.stop()
        self.databases.stop()

    def children(self) -> list[Child]:
        """Return all processes."""
        return [*super().children(), *self.brokers.children(), *self.databases.members.values()]


class ClusterStack(Stack):
    """`ports` are HAProxy's; `instances` are the processes of the services by service and number."""

    def __init__(self, home: Path, options: Options, *, watchdog: Watchdog, grows: bool) -> None:
        super().__init__(home, options, watchdog=watchdog)
        self.servers: ClusterServers = ClusterServers(home, watchdog=watchdog, grows=grows)
        names = [(service, number) for service in SERVICES for number in INSTANCES]
        self.own_ports = dict(zip(names, free_ports(len(names)), strict=True))
        self._second = dict(zip(("KUJI_BOUNCE_PORT", "KUJI_APPROVE_PORT"), map(str, free_ports(2)), strict=True))
        self.instances: dict[tuple[str, int], Child] = {}
        self._haproxy: Child | None = None

    def own_url(self, service: str, number: int) -> str:
        """Return the address of one instance, past HAProxy."""
        return f"http://127.0.0.1:{self.own_ports[service, number]}"

    def stop(self) -> None:
        """End the services, HAProxy and the servers."""
        for child in self.instances.values():
            child.signal(signal.SIGTERM)
        for child in self.instances.values():
            child.stop(timeout_s=15)
        self.instances.clear()
        self._children.clear()
        if self._haproxy is not None:
            self._haproxy.kill()
            self._haproxy = None
        super().stop()

    def start_instance(self, service: str, number: int) -> None:
        """Start one instance. Both share the folders of the service: its keys, and at the vault the key folder."""
        for folder in (self.log(service).parent, self.state_dir(service)):
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
        cluster = {
            "KUJI_HTTP_PORT": str(self.own_ports[service, number]),
            "KUJI_QUEUE_COPIES": str(self.servers.brokers.copies),
            "KUJI_QUEUE_STATUS_URL": self.servers.brokers.status_url,
            **(self._second if service == "vault" and number > 1 else {}),
        }
        log = self.log(service).with_name(f"{service}-{number}.log")
        self.instances[service, number] = Child.start(
            f"{service} {number}",
            [sys.executable, "-m", f"services.{service}"],
            env=self.environment(service) | cluster,
            log=log,
            watchdog=self._watchdog,
            cwd=ROOT,
        )

    def _launch(self, service: str) -> None:
        if self._haproxy is None:
            self._launch_haproxy()
        for number in INSTANCES:
            self.start_instance(service, number)
        self._children[service] = self.instances[service, INSTANCES[0]]

    def _launch_haproxy(self) -> None:
        ports = {service: self.ports[service] for service in SERVICES}
        self._haproxy = start_haproxy(self.home, ports, self.own_ports, self._watchdog)

    def _amqp_url(self, service: str) -> str:
        return self.servers.brokers.url(service, self.secrets.amqp[service])

    def _mongo_url(self, service: str) -> str:
        name = self.database(service)
        return self.servers.databases.url(name, self.secrets.mongo[service], database=name)

    def refused(self) -> dict[str, int]:
        """Return the number of requests answered with 5xx so far, by service, as HAProxy's clients saw it."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(5)
            asking.connect(str(statistics_socket(self.home)))
            asking.sendall(b"show stat\n")
            with asking.makefile("r", encoding="utf-8") as answer:
                header, *rows = answer.read().strip().splitlines()
        columns = header.lstrip("# ").split(",")
        cells = [dict(zip(columns, row.split(","), strict=False)) for row in rows if row]
        return {row["pxname"]: int(row["hrsp_5xx"] or 0) for row in cells if row.get("svname") == "FRONTEND"}

    def service_logs(self) -> list[Path]:
        """Return the logs of the services' instances."""
        return [log for service in SERVICES for log in sorted((self.home / "logs").glob(f"{service}-*.log"))]

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Run the stack inside the block."""
        self.start()
        try:
            yield self
        finally:
            self.stop()


def failed_checks(text: bytes) -> list[str]:
    """Return the names of the checks that fail in a body of `/health/ready`; none if the service is ready."""
    return [name for name, passes in json.loads(text)["checks"].items() if not passes]
