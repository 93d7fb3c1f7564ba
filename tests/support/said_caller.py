"""A service that says how it was called, served as the processes of services are."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI, Request, Response

from services.vault.people.pages.context import address_of
from shared.service import server_config
from shared.settings import ServiceSettings

PROXY: Final = "127.0.0.1"
"""Address whose headers the service believes."""


def settings(*trusted: str) -> ServiceSettings:
    """Return the settings of a service behind these proxies."""
    return ServiceSettings(
        amqp_url="amqp://none", mongo_url="mongodb://none", mongo_database="none", state_dir=Path("/nowhere"),
        service_keys_dir=Path("/nowhere"), trusted_proxies=trusted,
    )  # type: ignore[arg-type]  # fmt: skip


def service(name: str = "") -> FastAPI:
    """Return a service that answers with its client, as its limits and its pages see it, and with its own name."""
    app = FastAPI()

    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/")
    async def called(request: Request, answer: Response) -> dict[str, str | None]:
        answer.headers["server"] = "a-service"
        answer.headers["instance"] = name
        return {
            "client": address_of(request), "scheme": request.url.scheme, "host": request.headers.get("host"),
        }  # fmt: skip

    return app


@contextmanager
def serving(name: str = "") -> Iterator[int]:
    """Serve it with a proxy at the loopback address; yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(server_config(service(name), settings(PROXY)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(30)


@contextmanager
def frozen() -> Iterator[int]:
    """Listen like a process that is stopped: connections are made, and nothing is ever answered; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])
