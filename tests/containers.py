"""RabbitMQ and MongoDB in containers, for machines with a Docker engine."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import docker
from docker.errors import DockerException

RABBITMQ_IMAGE = os.environ.get("RABBITMQ_IMAGE", "rabbitmq:4")
MONGO_IMAGE = os.environ.get("MONGO_IMAGE", "mongo:8")
_SOCKET = Path("/var/run/docker.sock")


def docker_answers() -> bool:
    """Whether a Docker engine answers and has, or can fetch, both images; said aloud where it has not."""
    if "DOCKER_HOST" not in os.environ and not _SOCKET.exists():
        return False  # the client would leave its socket open in finding out
    try:
        client = docker.from_env(timeout=5)
        client.ping()
    except DockerException:
        return False
    try:
        return all(_present(client, image) for image in (RABBITMQ_IMAGE, MONGO_IMAGE))
    finally:
        client.close()


def _present(client: docker.DockerClient, image: str) -> bool:
    try:
        client.images.get(image)
    except DockerException:
        try:
            client.images.pull(image)
        except DockerException:
            print(f"Docker answers, but {image} is neither here nor can it be fetched: using private servers")  # noqa: T201
            return False
    return True


class Containers:
    """Both servers, through testcontainers; gone at the end."""

    def __enter__(self) -> Self:
        os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
        from testcontainers.community.mongodb import MongoDbContainer  # noqa: PLC0415
        from testcontainers.community.rabbitmq import RabbitMqContainer  # noqa: PLC0415

        self._rabbitmq = RabbitMqContainer(RABBITMQ_IMAGE).start()
        self._mongodb = MongoDbContainer(MONGO_IMAGE).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rabbitmq.stop()
        self._mongodb.stop()
