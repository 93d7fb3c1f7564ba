"""The servers Kuji needs on one machine, started together: RabbitMQ, MongoDB, and a mail server that keeps mail."""

import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.mongodb import MongoDB, reachable, require_mongod
from deploy.local.paths import ROOT, STATE
from deploy.local.ports import free_ports
from deploy.local.processes import Child, LocalError, Watchdog, await_port
from deploy.local.rabbitmq import Ports, RabbitMQ


class Servers:
    """RabbitMQ, MongoDB and the mailbox below `home`. Those named by KUJI_AMQP_URL and KUJI_MONGO_URL are used instead.

    `amqp_url` and `mongo_url` are of users who may do everything; services get users of their own (`Stack`).
    """

    def __init__(self, home: Path, *, watchdog: Watchdog, environment: Mapping[str, str] = os.environ) -> None:
        self.home = home
        self.watchdog = watchdog
        self.external_amqp = environment.get("KUJI_AMQP_URL")
        self.external_mongo = environment.get("KUJI_MONGO_URL")
        amqp, distribution, mapper, mongo, self.smtp_port = free_ports(5)
        self.rabbitmq = RabbitMQ(home / "rabbitmq", Ports(amqp, distribution, mapper), watchdog)
        self._mongo_port = mongo
        self.mongodb: MongoDB | None = None
        self.mailbox = home / "mailbox"
        self._mailbox_process: Child | None = None

    @property
    def amqp_url(self) -> str:
        return self.external_amqp or self.rabbitmq.url()

    @property
    def mongo_url(self) -> str:
        if self.external_mongo:
            return self.external_mongo
        assert self.mongodb is not None  # noqa: S101  (started before anybody asks)
        return self.mongodb.url()

    def start(
        self,
        *,
        amqp_users: Mapping[str, str] | None = None,
        mongo_users: Mapping[str, str] | None = None,
        when_database_ready: Callable[[], None] = lambda: None,
    ) -> Self:
        """Start all three servers; users are name → password. Raises LocalError, with nothing left running.

        `when_database_ready` is called while the broker, which takes longest, may still be starting.
        """
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with ThreadPoolExecutor(3) as pool:
                database = pool.submit(self._start_mongodb, mongo_users)
                others = [pool.submit(self._start_rabbitmq, amqp_users), pool.submit(self._start_mailbox)]
                database.result()
                when_database_ready()
            for part in others:
                part.result()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        if self._mailbox_process is not None:
            self._mailbox_process.stop(timeout_s=2)
        self.rabbitmq.stop()
        if self.mongodb is not None:
            self.mongodb.stop()

    def children(self) -> list[Child]:
        mailbox = [self._mailbox_process] if self._mailbox_process else []
        return [*self.rabbitmq.children, *(self.mongodb.children if self.mongodb else []), *mailbox]

    def _start_rabbitmq(self, users: Mapping[str, str] | None) -> None:
        if self.external_amqp is None:
            self.rabbitmq.start(users)
            self.rabbitmq.ready()

    def _start_mongodb(self, users: Mapping[str, str] | None) -> None:
        if self.external_mongo is not None:
            if not reachable(self.external_mongo):
                raise LocalError("KUJI_MONGO_URL does not answer; start that server, or unset it for a private one")
            return
        self.mongodb = MongoDB(self.home / "mongodb", self._mongo_port, require_mongod(STATE), self.watchdog)
        self.mongodb.start()
        self.mongodb.ready(users)

    def _start_mailbox(self) -> None:
        command: list[str | Path] = [
            sys.executable, "-m", "deploy.local.mailbox", "--folder", self.mailbox, "--port", str(self.smtp_port),
        ]  # fmt: skip
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._mailbox_process = Child.start(
            "mailbox", command, env=env, log=self.home / "mailbox.log", watchdog=self.watchdog, cwd=ROOT
        )
        await_port(self._mailbox_process, self.smtp_port, timeout_s=20)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
