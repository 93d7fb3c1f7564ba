"""Serve an application to real browsers: on a loopback port, by an event loop in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import uvicorn
from fastapi import FastAPI

T = TypeVar("T")
H = TypeVar("H")


@dataclass(frozen=True)
class Served(Generic[H]):
    """Harness whose application is served at `port`, and the event loop on which it lives."""

    harness: H
    loop: asyncio.AbstractEventLoop
    port: int

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run the coroutine on the harness's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)


@contextmanager
def served(
    make: Callable[[int], AbstractAsyncContextManager[H]], app_of: Callable[[H], FastAPI]
) -> Iterator[Served[H]]:
    """Serve the application of the harness that `make` opens for a port."""
    listener, made = socket.create_server(("127.0.0.1", 0)), list[Served[H]]()
    port = listener.getsockname()[1]
    ready, ended = threading.Event(), threading.Event()

    async def run() -> None:
        async with make(port) as harness:
            server = uvicorn.Server(uvicorn.Config(app_of(harness), log_config=None, lifespan="off"))
            made.append(Served(harness, asyncio.get_running_loop(), port))
            task = asyncio.create_task(server.serve([listener]))
            ready.set()
            await asyncio.to_thread(ended.wait)
            server.should_exit = True
            await task

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert ready.wait(60)
        yield made[0]
    finally:
        ended.set()
        thread.join(30)
