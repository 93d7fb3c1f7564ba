"""RabbitMQ and MongoDB in containers, for machines with a Docker engine."""

import os
import secrets
import socket
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import docker
from docker.errors import DockerException
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.mongodb import COMPRESSORS
from shared.storage import TRANSACTION_LIFETIME_S

RABBITMQ_IMAGE = os.environ.get("RABBITMQ_IMAGE", "rabbitmq:4")
MONGO_IMAGE = os.environ.get("MONGO_IMAGE", "mongo:8")
_SOCKET = Path("/var/run/docker.sock")
_AMQP, _MONGO = 5672, 27017
_TIMEOUT_S = 60.0
_PULL_S = 120
"""Longest silence while an image is fetched."""


def docker_answers() -> bool:
    """Return True if a Docker engine answers and has, or can fetch, both images; print the reason if not."""
    if not _somebody_listens(os.environ.get("DOCKER_HOST", f"unix://{_SOCKET}")):
        return False  # the client would leave its socket open in finding out
    try:
        client = docker.from_env(timeout=5)
    except DockerException:
        return False
    try:
        answers = client.ping()
        client.api.timeout = _PULL_S
        return bool(answers) and all(_present(client, image) for image in (RABBITMQ_IMAGE, MONGO_IMAGE))
    except (DockerException, OSError):
        return False
    finally:
        client.close()


def _somebody_listens(address: str) -> bool:
    """Return True if a process accepts connections at a `unix://` or `tcp://` address of an engine."""
    where = urlsplit(address)
    unix = where.scheme == "unix"
    try:
        with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as probe:
            probe.settimeout(3)
            probe.connect(where.path if unix else (where.hostname, where.port or 2375))
    except OSError:
        return False
    return True


def _present(client: docker.DockerClient, image: str) -> bool:
    try:
        client.images.get(image)
    except DockerException:
        try:
            client.images.pull(image)
        except (DockerException, OSError):  # the latter: no answer in time
            print(f"Docker answers, but {image} is neither here nor can it be fetched: using private servers")  # noqa: T201
            return False
    return True


class Containers:
    """Both servers, through testcontainers; gone at the end, also where one of them did not start.

    MongoDB is a replica set of one without accounts, reached directly: its member's name is known to no resolver.
    """

    def __init__(self) -> None:
        os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of a decorator it uses itself
            from testcontainers.community.rabbitmq import RabbitMqContainer  # noqa: PLC0415
        from testcontainers.core.config import ConnectionMode, testcontainers_config  # noqa: PLC0415
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415

        address = None if _elsewhere() else ("127.0.0.1",)
        if address:  # it would take a machine that is itself a container for one beside the engine's
            testcontainers_config.connection_mode_override = ConnectionMode.docker_host
            testcontainers_config.tc_host_override = address[0]

        self._password = secrets.token_urlsafe(12)
        self._rabbitmq = RabbitMqContainer(RABBITMQ_IMAGE, username="admin", password=self._password)
        self._mongodb = DockerContainer(MONGO_IMAGE).with_command(
            "mongod --replSet kuji --bind_ip_all"
            f" --setParameter transactionLifetimeLimitSeconds={TRANSACTION_LIFETIME_S}"
            f" --networkMessageCompressors {COMPRESSORS}"
        )
        for container, port in ((self._rabbitmq, _AMQP), (self._mongodb, _MONGO)):
            container.ports = {str(port): address}  # any free one, on loopback as all servers of ours
        self._running = ExitStack()

    @property
    def amqp_url(self) -> str:
        host, port = self._rabbitmq.get_container_host_ip(), self._rabbitmq.get_exposed_port(_AMQP)
        return f"amqp://admin:{self._password}@{host}:{port}/"

    @property
    def mongo_url(self) -> str:
        host, port = self._mongodb.get_container_host_ip(), self._mongodb.get_exposed_port(_MONGO)
        return f"mongodb://{host}:{port}/?directConnection=true"

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            for container in (self._mongodb, self._rabbitmq):
                starting.callback(container.stop)  # also one that was made and never answered
                container.start()
            _become_primary(self.mongo_url)
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()


def _elsewhere() -> bool:
    """Return True if the engine is on another host, or has a configured host name."""
    named = {"TC_HOST", "TESTCONTAINERS_HOST_OVERRIDE", "TESTCONTAINERS_CONNECTION_MODE"} & set(os.environ)
    return bool(named) or os.environ.get("DOCKER_HOST", "").startswith(("tcp:", "ssh:"))


def _become_primary(url: str) -> None:
    """Initiate the set as soon as the server answers, and wait for its election. Raises the driver's error."""
    ends = time.monotonic() + _TIMEOUT_S
    member = {"_id": 0, "host": f"127.0.0.1:{_MONGO}"}
    with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=int(_TIMEOUT_S * 1000)) as client:
        client.admin.command(
            "replSetInitiate", {"_id": "kuji", "members": [member], "settings": {"electionTimeoutMillis": 1000}}
        )
        while not client.admin.command("hello")["isWritablePrimary"]:
            if time.monotonic() > ends:
                raise PyMongoError("the container of MongoDB elected no primary")
            time.sleep(0.05)
