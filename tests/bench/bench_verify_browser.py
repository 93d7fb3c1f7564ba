"""Memory and time of /verify in Chromium: python -m tests.bench.bench_verify_browser [entries]

Without a number: one million entries, with the sample's 745 seats and with seats for seven and a half per cent of the
entries. The page reads and recomputes a real transcript; its verdict, every check and the path of one entry must be the
lottery's. The figure is the largest resident memory of any process that renders a page (VmHWM); beside it stand its
limit, and the memory of the same browser with an empty page.
"""

import json
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from playwright.sync_api import Page

from services.lottery.allocation.allocator import Allocation, allocate
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.pages.site import lottery_renderer
from services.lottery.pages.verify import VerifyPages, verify_pages_router
from services.lottery.randomness.rounds import choose_round
from services.lottery.randomness.sources import Randomness, draw_key
from services.lottery.record.manifest import EntryCounts, Freeze, Manifest, Receipts, write_manifest
from services.lottery.record.transcript import make_history_event, write_transcript
from shared.campaign import Campaign
from shared.clock import FixedClock
from shared.codes import EntryId, entry_number
from shared.signing import SigningKey
from tests.bench.bench_draw import CAMPAIGN, frozen_list
from tests.support.browser import chromium, opened
from tests.support.chance import DICE, acts_of, value_of
from tests.support.draw_builders import FROZEN
from tests.support.executed_approvals import VAULT, pinned_key_of_the_tests

LIMIT_MB = 500
WAIT_MS = 1_800_000


@dataclass(frozen=True)
class Published:
    """A draw in files of a folder, with the lottery's own result."""

    campaign: Campaign
    folder: Path
    key: str
    frozen: FrozenList
    allocation: Allocation


def sorted_list(count: int) -> FrozenList:
    """Return a list with the choices of `bench_draw` and ids in the order of their bytes, as the verifier demands."""
    made = frozen_list(count)
    halves = np.frombuffer(np.random.default_rng(3).bytes(16 * count), ">u8").reshape(-1, 2)
    return FrozenList(halves[np.lexsort((halves[:, 1], halves[:, 0]))].tobytes(), made.lists, made.table)


def publish(folder: Path, count: int, capacities: int) -> Published:
    """Write transcript and rows of a signed draw. `capacities`: times the sample's seats."""
    classes = tuple(c.model_copy(update={"capacity": c.capacity * capacities}) for c in CAMPAIGN.classes)
    campaign, signing, frozen = (
        CAMPAIGN.model_copy(update={"classes": classes}),
        SigningKey.generate(),
        sorted_list(count),
    )
    counts = EntryCounts({"web": count}, {})
    freeze = Freeze(FROZEN, choose_round(campaign, 2, FROZEN))
    line = write_manifest(campaign, frozen, Receipts(count, "0" * 64), counts, freeze, VAULT.public)
    manifest = Manifest.read(line)
    randomness = Randomness(DICE, value_of(manifest.beacon.round))
    key, opening = draw_key(line, randomness), make_history_event("frozen", FROZEN, None)
    allocation = allocate(key, frozen, manifest.classes, manifest.rules)
    content = write_transcript(
        manifest=line,
        signature=signing.sign(line.encode()),
        frozen=frozen,
        randomness=randomness,
        acts=acts_of(manifest.dice_rule),
        evidence=[],
        key=key,
        allocation=allocation,
        history=[opening, make_history_event("drawn", FROZEN, opening)],
        signing=signing,
    )
    (folder / "transcript").write_text(json.dumps(content, separators=(",", ":")))
    with (folder / "rows").open("w") as rows:
        rows.writelines(frozen.texts())
    return Published(campaign, folder, signing.public, frozen, allocation)


@contextmanager
def serving(draw: Published) -> Iterator[str]:
    """Serve the page and the files; yield the address."""
    renderer, app = lottery_renderer(), FastAPI()
    pages = VerifyPages(
        {draw.campaign.id: draw.campaign}, FixedClock(FROZEN), renderer, lambda: [draw.key], pinned_key_of_the_tests()
    )
    app.add_api_route("/assets/{name}", renderer.asset, methods=["GET"], response_model=None)
    app.include_router(verify_pages_router(pages))

    async def file(name: str) -> Response:
        path = draw.folder / name
        return FileResponse(path) if name in {"transcript", "rows"} else Response("[]", 404)

    app.add_api_route(f"/v1/campaigns/{draw.campaign.id}/{{name}}", file, methods=["GET"], response_model=None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)


def peak_mb() -> float:
    """Return the largest resident memory that any renderer of this process's browser ever had, in MB (10^6 bytes)."""
    peaks = [0.0]
    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in process.cmdline():
                peaks.append(_peak_kib(process.pid) * 1024 / 1e6)
        except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            continue
    return max(peaks)


def _peak_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def compare(page: Page, draw: Published) -> None:
    """Compare verdict, checks and the path of the last winner of the first class with the lottery's result."""
    assert "verdict-good" in (page.locator("#verdict").get_attribute("class") or ""), page.inner_text("#checks")
    assert page.locator("#checks .mark-bad").count() == 0
    name, winners = next(iter(draw.allocation.winners.items()))
    entry = draw.frozen.hex_ids(winners[-1:])[0]
    rank = int((draw.allocation.order.run(0, len(draw.frozen)) == winners[-1]).nonzero()[0][0]) + 1
    page.fill("#who", entry)
    page.press("#who", "Enter")
    page.locator("#path .place").wait_for(timeout=WAIT_MS)
    assert str(rank) in page.inner_text("#path .place"), f"{name}: {rank}"
    assert entry_number(EntryId(entry)) in page.inner_text("#path")


def measure(folder: Path, count: int, capacities: int) -> None:
    """Print the figures of one draw."""
    draw = publish(folder, count, capacities)
    what = f"/verify of {count:,} entries, {sum(c.capacity for c in draw.campaign.classes):,} seats"
    with chromium() as browser, serving(draw) as url, opened(browser, url) as page:
        page.goto("about:blank")
        empty, started = peak_mb(), time.perf_counter()
        page.goto(f"/verify/{draw.campaign.id}")
        page.locator("#verdict.verdict").wait_for(timeout=WAIT_MS)
        seconds, verified = time.perf_counter() - started, peak_mb()
        compare(page, draw)
        followed = peak_mb()
    print(f"{what:56} {seconds:8.1f} s")
    for name, peak in (("verified", verified), ("and one entry followed", followed)):
        print(f"  peak memory, {name:40} {peak:8.0f} MB   {peak / LIMIT_MB:5.2f} × the limit of {LIMIT_MB} MB")
    print(f"  the same browser with an empty page {'':19} {empty:8.0f} MB")


def main(arguments: Sequence[Any]) -> None:
    count = int(arguments[0]) if arguments else 1_000_000
    for capacities in (1, max(1, count // 10_000)):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), count, capacities)


if __name__ == "__main__":
    main(sys.argv[1:])
