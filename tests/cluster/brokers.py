"""Three RabbitMQ nodes as one cluster on loopback, with an Erlang port mapper and a cookie of their own."""

import asyncio
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local.paths import ROOT
from deploy.local.ports import free_ports
from deploy.local.processes import Child, LocalError, Watchdog, await_port
from deploy.local.rabbitmq import Ports, RabbitMQ
from shared.files import write_atomic
from shared.messaging.copies import Management

NODES: Final = 3
_UP_S: Final = 240.0
_TOOL: Final = "/usr/lib/rabbitmq/bin/rabbitmq-queues"


class BrokerCluster:
    """Start with `start`; nodes are numbered from 0. `copies`: of each queue.

    `grows`: the first node declares the queues alone, and they grow afterwards, which takes minutes on a busy machine.
    """

    def __init__(self, home: Path, watchdog: Watchdog, copies: int = NODES, *, grows: bool = False) -> None:
        self.home, self._watchdog, self.copies = home, watchdog, copies
        mapper, *ports = free_ports(1 + 3 * NODES)
        self._mapper_port, self._mapper = mapper, list[Child]()
        password = secrets.token_urlsafe(18)
        self.nodes = [
            RabbitMQ(
                home / str(number),
                Ports(ports[3 * number], ports[3 * number + 1], mapper, ports[3 * number + 2]),
                watchdog,
                admin_password=password,
                declares=grows,
                shares_mapper=True,
            )
            for number in range(NODES)
        ]

    def url(self, user: str = "admin", password: str | None = None) -> str:
        """Return the setting KUJI_AMQP_URL: all nodes, separated by commas."""
        hosts = ",".join(f"127.0.0.1:{node.ports.amqp}" for node in self.nodes)
        return f"amqp://{user}:{password or self.nodes[0].admin_password}@{hosts}/"

    @property
    def status_url(self) -> str:
        """Return the setting KUJI_QUEUE_STATUS_URL."""
        return ",".join(f"http://127.0.0.1:{node.ports.management}" for node in self.nodes)

    def start(self, users: Mapping[str, str]) -> None:
        """Start the first node, then the others; declare the topology with its copies. Raises LocalError."""
        cookie, example = secrets.token_hex(20), (ROOT / "deploy/cluster/rabbitmq.conf").read_text("utf-8")
        for number, node in enumerate(self.nodes, 1):
            example = example.replace(f"rabbit@mq{number}", node.node)
        for node in self.nodes:
            node.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomic(node.home / ".erlang.cookie", cookie.encode())
            (node.home / ".erlang.cookie").chmod(0o400)
            node.more = example
        environment = self.nodes[0].environment()
        command = ["epmd", "-port", str(self._mapper_port), "-address", "127.0.0.1"]
        mapper = Child.start(
            "epmd", command, env=environment, log=self.home / "epmd.log", watchdog=self._watchdog, cwd=self.home
        )
        self._mapper.append(mapper)
        await_port(mapper, self._mapper_port, timeout_s=20)
        for node in self.nodes:
            node.start(users)
            node.ready(_UP_S)
        self._await_members()
        self._declare()

    def management(self) -> Management:
        """Return the management interface as the administrator."""
        return Management.of(self.status_url, self.url(), 5)

    def leader(self) -> RabbitMQ:
        """Return the node that leads most queues."""
        queues = asyncio.run(self.management().queues())
        (name, _), *_ = Counter(queue.leader for queue in queues.values()).most_common()
        return next(node for node in self.nodes if node.node == name)

    def restart(self, node: RabbitMQ) -> None:
        """Start a killed node again on its data."""
        node.stop()
        node.launch()
        node.ready(_UP_S)

    def stop(self) -> None:
        """End all nodes at once."""
        for node in self.nodes:
            for child in node.children:
                child.kill()
            node.children.clear()
        for child in self._mapper:
            child.kill()

    def children(self) -> list[Child]:
        """Return all processes of the cluster."""
        return [*self._mapper, *(child for node in self.nodes for child in node.children)]

    def _await_members(self) -> None:
        ends = time.monotonic() + _UP_S
        while len(asyncio.run(self.management().running_nodes())) < NODES:
            if time.monotonic() > ends:
                raise LocalError("the nodes of the broker did not join each other; see their logs")
            time.sleep(1)

    def _declare(self) -> None:
        """Run the command of an operator; it grows the queues that the first node made alone."""
        variables = {
            **self.nodes[0].environment(),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "KUJI_AMQP_URL": self.url(),
            "KUJI_QUEUE_COPIES": str(self.copies),
            "KUJI_QUEUE_STATUS_URL": self.status_url,
            "KUJI_GROW_COMMAND": f"{_TOOL} -n {self.nodes[0].node}",
        }
        done = subprocess.run(
            [sys.executable, "-m", "shared.messaging.declare"],
            cwd=ROOT, env=variables, capture_output=True, text=True, timeout=3 * _UP_S, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise LocalError(f"the topology could not be declared: {done.stderr[-1000:]}")
