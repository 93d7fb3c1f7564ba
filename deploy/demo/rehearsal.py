"""A campaign to rehearse with: the sample file, marked as a rehearsal, and a clock that can be moved."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from shared.campaign import Campaign, load_campaign
from shared.errors import KujiError

T = TypeVar("T")

SAMPLE = Path(__file__).parent.parent / "campaigns" / "777-days.yaml"


class TookTooLong(KujiError):  # noqa: N818  (reads as what happened)
    """A phase did not finish in time; the text says what was last seen."""


def rehearsal_of(sample: Path, folder: Path) -> Campaign:
    """Write the sample into `folder` as a rehearsal and load it; nothing else about it changes."""
    folder.mkdir(parents=True, exist_ok=True)
    text = sample.read_text("utf-8")
    if "\nv: 1\n" not in text:
        raise KujiError(f"{sample.name} does not start with `v: 1`; use a campaign file")
    path = folder / sample.name
    path.write_text(text.replace("\nv: 1\n", "\nv: 1\nrehearsal: true\n", 1), "utf-8")
    return load_campaign(path)


async def until(
    ask: Callable[[], Awaitable[T]], done: Callable[[T], bool], *, within_s: float, what: str, every_s: float = 0.2
) -> T:
    """Ask until it is done. Raises TookTooLong with the last answer, which holds counts and states only."""
    ends = time.monotonic() + within_s
    while True:
        answer = await ask()
        if done(answer):
            return answer
        if time.monotonic() > ends:
            raise TookTooLong(f"{what}: not done after {within_s:.0f} s; last seen: {answer}")
        await asyncio.sleep(every_s)
