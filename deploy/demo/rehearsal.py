"""Campaigns to rehearse with: copies of campaign files that are marked as rehearsals, so that their clock can move."""

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from deploy.relay.rehearsal import RehearsalRelay
from shared.campaign import Campaign, load_campaign, load_campaigns
from shared.errors import KujiError

T = TypeVar("T")

_VERSION = re.compile(r"^v:[ \t]*1\b[^\n]*", re.MULTILINE)
_ID = re.compile(r"^id:[ \t]*(\S+)", re.MULTILINE)
_REHEARSAL = re.compile(r"^rehearsal:[^\n]*\n", re.MULTILINE)
_DRAW = re.compile(r"^draw:[ \t]*\n", re.MULTILINE)
_OWN_BEACON = re.compile(r"^  (beacon|relays):.*\n(?:(?:    .*|  - .*|)\n)*", re.MULTILINE)
"""Beacon and relays of a campaign file, with the indented lines below them."""

SAMPLE = Path(__file__).parent.parent / "campaigns" / "777-days.yaml"


class DeadlineError(KujiError):
    """Raised when a phase does not finish in time; the text holds the last answer."""


def rehearsal_of(sample: Path, folder: Path, number: int = 1, *, asks_beacon: bool = True) -> Campaign:
    """Write the campaign file into `folder` as a rehearsal and load it.

    Its beacon is the chain of the relay beside `folder` (`deploy.relay.rehearsal`), because quicknet has no rounds in
    the past. `asks_beacon`: False where the lottery cannot reach this machine.

    `number`: which rehearsal on the same installation. The id of an erased campaign is never used again, so the
    second one has `-2` at the end of its id, and so on.
    Raises KujiError where the file is not a campaign file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text, marked = _VERSION.subn(r"\g<0>\nrehearsal: true", _REHEARSAL.sub("", sample.read_text("utf-8")), count=1)
    if not marked:
        raise KujiError(f"{sample.name} has no line `v: 1`; use a campaign file")
    if number > 1:
        text = _ID.sub(rf"id: \g<1>-{number}", text, count=1)
    beacon = RehearsalRelay.create_once(folder).to_yaml(is_asked=asks_beacon)
    text = _DRAW.sub(lambda found: found[0] + beacon, _OWN_BEACON.sub("", text), count=1)
    path = _numbered(sample, folder, number)
    path.write_text(text, "utf-8")
    return load_campaign(path)


def last_rehearsal_of(sample: Path, folder: Path) -> int:
    """Return the number of the last rehearsal that was written into `folder`; 0 if there is none."""
    number = 0
    while _numbered(sample, folder, number + 1).exists():
        number += 1
    return number


def _numbered(sample: Path, folder: Path, number: int) -> Path:
    return folder / (sample.name if number == 1 else f"{sample.stem}-{number}{sample.suffix}")


def rehearsals_of(source: Path, folder: Path) -> list[Campaign]:
    """Write every campaign file of `source` into `folder` as a rehearsal, the first to open first.

    Raises CampaignError where a file of `source` must not be used, or where there is none.
    """
    load_campaigns(source)
    campaigns = [rehearsal_of(path, folder) for path in sorted(source.glob("*.yaml"))]
    return sorted(campaigns, key=lambda campaign: campaign.window.opens)


_LONGEST_PAUSE_S: Final = 1.0
"""Longest pause between two questions: an answer may have taken long because a server was away, and is back."""


async def until(
    ask: Callable[[], Awaitable[T]], done: Callable[[T], bool], *, within_s: float, what: str, every_s: float = 0.1
) -> T:
    """Ask until it is done. Raises DeadlineError with the last answer, which holds counts and states only.

    A service that does not answer for the moment, because it starts again, is asked again. Asking takes at most a
    fifth of the time, as long as answers come within a quarter of a second.
    """
    from httpx import TransportError  # noqa: PLC0415  (a tenth of a second that commands need not wait)

    ends, answer = time.monotonic() + within_s, None
    while True:
        asked = time.monotonic()
        with contextlib.suppress(TransportError):
            answer = await ask()
            if done(answer):
                return answer
        if time.monotonic() > ends:
            raise DeadlineError(f"{what}: not done after {within_s:.0f} s; last seen: {answer}")
        await asyncio.sleep(max(every_s, min(_LONGEST_PAUSE_S, 4 * (time.monotonic() - asked))))
