"""Answers of the telephone desk with many people in the register: python -m tests.bench.bench_desk [people]

Uses KUJI_MONGO_URL, or starts private servers. Every page and download of the desk is found by its route, so that a new
one is measured; the run ends with an error where one cannot be shown. Each figure is the median of several answers at
the server, without a browser, beside its limit: 300 ms for a page, 1 s for a search. The last lines say what a search
cannot be faster than in the same run: reading as many documents, and opening as many ciphertexts and doing nothing with
them.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import uvloop
from httpx import AsyncClient

from deploy.local.processes import Watchdog
from deploy.local.servers import Servers
from services.vault.applications.readings import NameReadings
from services.vault.identities.person import Person
from services.vault.identities.repository import COLLECTION, StoredIdentity, bound_to
from services.vault.keys.ciphers.envelope import unseal
from shared import logging
from tests.support.doubts_harness import DoubtsDesk
from tests.support.every_desk_page import (
    LEADS_ON,
    OF_ERASED,
    add_all_pages,
    granted_disclosure,
    page_paths,
    sample_parameters,
)
from tests.support.identity_builders import person
from tests.support.service_keys import keys_in_environment
from tests.support.telephone_harness import TelephoneDesk, search, telephone_desk
from tests.support.vault_parts import Known

PEOPLE: Final = 20_000
ROUNDS: Final = 5
_SHOWN: Final = 200
PAGE_LIMIT_S: Final = 0.3
SEARCH_LIMIT_S: Final = 1.0

ALIKE: Final = person(name="勘解由小路 一郎", phone="0312345678", address="東京都新宿区歌舞伎町1-4-1")
_FAMILY: Final = "佐藤鈴木髙橋田中伊藤渡邉山本中村小林加藤吉田山田佐々木山口松本井上木村林清水斎藤"
_GIVEN: Final = "一郎花子太郎恵子さくらはなこ健太美咲翔太陽菜大輔直樹結衣"


@dataclass(frozen=True)
class Figure:
    """Median time of an answer. `limit_s`: None for a figure that is a limit itself.

    `processor_s`: of this process, without the database; it hardly moves with the load of the machine.
    """

    name: str
    seconds: float
    processor_s: float
    limit_s: float | None

    @property
    def verdict(self) -> str:
        """Return a mark where the figure is over its limit."""
        return ", OVER" if self.limit_s is not None and self.seconds > self.limit_s else ""


def make_person(number: int, chance: random.Random) -> Person:
    """Return a person whose telephone number no other one has."""
    name = "".join(chance.sample(_FAMILY, 2)) + " " + "".join(chance.sample(_GIVEN, 2))
    town = chance.choice(("歌舞伎町", "西新宿", "高田馬場", "北新宿", "大久保"))
    address = f"東京都新宿区{town}{chance.randint(1, 8)}-{chance.randint(1, 40)}-{chance.randint(1, 30)}"
    return person(name=name, phone=f"03{number:08}", address=address)


async def median(ask: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Return the median time and processor time of ROUNDS answers; the first is not counted."""
    await ask()
    taken, used = [], []
    for _ in range(ROUNDS):
        started, processor = time.perf_counter(), time.process_time()
        await ask()
        taken.append(time.perf_counter() - started)
        used.append(time.process_time() - processor)
    return statistics.median(taken), statistics.median(used)


async def measure(mongo_url: str, folder: Path, people: int) -> list[Figure]:
    """Return the figures of the pages."""
    chance = random.Random(1)  # noqa: S311  (made-up people)
    async with telephone_desk(mongo_url, "bench_desk", folder) as desk:
        known: list[Known] = []
        for start in range(0, people, 2000):
            made = [make_person(number, chance) for number in range(start, min(people, start + 2000))]
            known += await desk.register.admit(made)
        await add_all_pages(desk)
        staff = DoubtsDesk(desk.staff, desk.register)
        browser = await staff.handler()
        addresses = await _addresses(staff, browser)
        pages = await _every_page((browser, staff.responsible, staff.ward), addresses)
        return [*await _pages(browser, known), *pages, *await _limits(desk)]


async def _pages(browser: AsyncClient, known: Sequence[Known]) -> list[Figure]:
    one = known[len(known) // 2]
    searches: dict[str, dict[str, str]] = {
        "by receipt number": {"number": one.receipt},
        "by name": {"name": one.person.name},
        "by name in kana": {"name": _kana_of(one.person.name)},
        "by the last digits of the telephone": {"phone": one.person.phone[-6:]},
        "by part of an address": {"address": one.person.address[6:]},
        "by a town that a fifth of all have": {"address": "西新宿"},
    }
    return [
        Figure(f"search {name}", *await median(lambda parts=parts: _found(browser, parts)), SEARCH_LIMIT_S)
        for name, parts in searches.items()
    ]


async def _addresses(staff: DoubtsDesk, handler: AsyncClient) -> dict[str, str]:
    """Add a doubt, a doubtful address and a request to the register; return the address of each page by its path."""
    alike = await staff.apply([ALIKE, replace(ALIKE, address=f"{ALIKE.address} 203", email=None)])
    [unknown] = await staff.apply(
        [replace(ALIKE, postal_code="9999999", phone="0399999999")], doubts=["postal-unknown"]
    )
    parameters = sample_parameters(alike, await granted_disclosure(handler, staff.ward, alike[0]))
    of_address = {**parameters, "one": unknown.application_id}
    paths = [path for path in page_paths(staff.staff.app) if path not in LEADS_ON | OF_ERASED]
    return {path: path.format_map(parameters if "{other}" in path else of_address) for path in paths}


async def _every_page(people: Sequence[AsyncClient], addresses: Mapping[str, str]) -> list[Figure]:
    """Return a figure for each page and download of the desk, opened by the first of these people who may."""
    figures = []
    for path, address in addresses.items():
        for browser in people:
            if (await browser.get(address)).status_code == _SHOWN:
                once = await median(lambda browser=browser, address=address: _page(browser, address))
                figures.append(Figure(path, *once, PAGE_LIMIT_S))
                break
        else:
            raise SystemExit(f"nobody is shown {path}: it would not be measured")
    return figures


def _kana_of(name: str) -> str:
    """Return one reading of the given name, as a caller says it."""
    return min(NameReadings().of(name.split()[1])[1] or {"ハナコ"})


async def _found(browser: AsyncClient, parts: dict[str, str]) -> None:
    assert "data-receipt" in (await search(browser, **parts)).raise_for_status().text


async def _page(browser: AsyncClient, path: str) -> None:
    (await browser.get(path)).raise_for_status()


async def _limits(desk: TelephoneDesk) -> list[Figure]:
    store, keys = desk.staff.store, desk.register.keys

    async def read() -> list[dict[str, Any]]:
        return [document async for document in store.db[COLLECTION].find({}, batch_size=2000)]

    stored = [StoredIdentity.from_document(document) for document in await read()]

    async def opened() -> None:
        for one in stored:
            unseal(keys.wrapping, one.sealed, bound_to(one.campaign, one.token))

    return [
        Figure("limit: reading all documents", *await median(read), None),
        Figure("limit: opening all ciphertexts", *await median(opened), None),
    ]


async def main() -> None:
    """Print the figures."""
    logging.configure("bench", "error")
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    with tempfile.TemporaryDirectory() as name, Watchdog() as watchdog:
        folder = Path(name)
        with keys_in_environment(folder / "keys"), Servers(folder / "servers", watchdog=watchdog) as servers:
            for figure in await measure(servers.mongo_url, folder, people):
                limit = "" if figure.limit_s is None else f"(limit {figure.limit_s * 1000:,.0f} ms{figure.verdict})"
                taken, used = figure.seconds * 1000, figure.processor_s * 1000
                sys.stdout.write(f"{taken:8,.0f} ms  processor {used:6,.0f} ms  {figure.name} {limit}\n")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
