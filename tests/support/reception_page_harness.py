"""A lottery at reception, served to browsers: one thread runs the server and whatever the tests ask for."""

import asyncio
import re
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from playwright.sync_api import Page

from services.lottery.reception import repository as reception
from tests.support.reception_harness import Guest, ReceptionHarness, run_reception
from tests.support.staff_sign_in import PlayedVault

T = TypeVar("T")


class ReceptionDesk:
    def __init__(self, loop: asyncio.AbstractEventLoop, harness: ReceptionHarness, url: str) -> None:
        self._loop, self.harness, self.url = loop, harness, url
        self.path = f"/reception/{harness.campaign.id}"

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def guest(self, **outcomes: str) -> Guest:
        return self.do(self.harness.guest(**outcomes))

    def scans(self, guest: Guest) -> list[dict[str, Any]]:
        """Those that speak of this guest, as the office has them."""

        async def found() -> list[dict[str, Any]]:
            lines = self.harness.store.db[reception.SCANS].find({"place": {"$regex": f"^{guest.entry}"}})
            return await lines.to_list(None)

        return self.do(found())

    def open(self, page: Page, device: str = "A", prefix: str = "") -> None:
        """Sign in, name the device, and wait for the roster."""
        page.goto(prefix + self.path)
        page.wait_for_url(f"**{prefix}{self.path}")
        page.fill("#name", device)
        page.click("#name-form button")
        page.locator("#roster-size", has_text=re.compile(r"^[1-9]")).wait_for()


@contextmanager
def reception_desk(url: str, database: str, folder: Path) -> Iterator[ReceptionDesk]:
    listener = socket.create_server(("127.0.0.1", 0))
    vault = PlayedVault(listener.getsockname()[1], folder, "sato-01")
    ready, ended = threading.Event(), threading.Event()
    made: list[ReceptionDesk] = []

    async def run() -> None:
        async with run_reception(url, database, folder, running=True) as harness:
            server = uvicorn.Server(uvicorn.Config(harness.app(vault), log_config=None, lifespan="off"))
            made.append(ReceptionDesk(asyncio.get_running_loop(), harness, vault.site))
            serving = asyncio.create_task(server.serve([listener]))
            ready.set()
            await asyncio.to_thread(ended.wait)
            server.should_exit = True
            await serving

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield made[0]
    finally:
        ended.set()
        thread.join(30)
