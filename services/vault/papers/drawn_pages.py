"""Keep first pages that were drawn a short while ago, so that one run of the decoder serves both keyings of a paper.

The page asks for the picture and for the places of its fields at the same time, and with two handlers at work the
second keying follows within minutes. Pages are kept in memory, encrypted under the campaign's key and bound to their
paper: once the key is destroyed or the vault is locked, nothing here can be opened.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import Sealed, seal, unseal
from shared.ids import CampaignId, PaperId
from shared.sheet_layout import Box

MOST_BYTES: Final = 64 * 1024**2
"""Of all kept pages; a fax has about 0.1 MB, a photo up to 4 MB."""
KEPT_S: Final = 1_800.0
"""Seconds: three times as long as a paper is held."""


@dataclass(frozen=True)
class FirstPage:
    """Picture of a paper's first page as PNG, and the places of the fields of our sheet on it."""

    picture: bytes = field(repr=False)
    fields: dict[str, Box]


@dataclass(frozen=True)
class _Kept:
    sealed: Sealed
    fields: dict[str, Box]
    until: float


class DrawnPages:
    """Draw each first page once, also where several ask at the same time. The caller checks who may see it."""

    def __init__(self, most_bytes: int = MOST_BYTES, kept_s: float = KEPT_S) -> None:
        self._most_bytes, self._kept_s = most_bytes, kept_s
        self._kept: dict[PaperId, _Kept] = {}
        self._drawing: dict[PaperId, asyncio.Task[FirstPage]] = {}

    def __len__(self) -> int:
        """Return the number of kept pages."""
        return len(self._kept)

    async def get(
        self, keys: CampaignKeys, campaign: CampaignId, paper_id: PaperId, draw: Callable[[], Awaitable[FirstPage]]
    ) -> FirstPage:
        """Return the page: kept, being drawn for another call, or drawn now. Raises what `draw` raises."""
        self._forget()
        if kept := self._kept.get(paper_id):
            opened = await asyncio.to_thread(unseal, keys.wrapping, kept.sealed, _bound_to(campaign, paper_id))
            return FirstPage(bytes(opened), kept.fields)
        task = self._drawing.get(paper_id)
        if task is None:
            task = asyncio.create_task(self._draw(keys, campaign, paper_id, draw))
            self._drawing[paper_id] = task
            task.add_done_callback(lambda done: self._end(paper_id, done))
        return await asyncio.shield(task)

    def forget(self, paper_ids: Iterable[str]) -> None:
        """Drop the pages of these papers, which were erased."""
        for paper_id in paper_ids:
            self._kept.pop(PaperId(paper_id), None)

    async def _draw(
        self, keys: CampaignKeys, campaign: CampaignId, paper_id: PaperId, draw: Callable[[], Awaitable[FirstPage]]
    ) -> FirstPage:
        page = await draw()
        sealed = await asyncio.to_thread(seal, keys.wrapping, page.picture, _bound_to(campaign, paper_id))
        self._kept[paper_id] = _Kept(sealed, page.fields, time.monotonic() + self._kept_s)
        self._forget()
        asyncio.get_running_loop().call_later(self._kept_s, self._forget)
        return page

    def _end(self, paper_id: PaperId, done: "asyncio.Task[FirstPage]") -> None:
        """Forget the task. Its error is read here too, because every caller may have gone away."""
        del self._drawing[paper_id]
        if not done.cancelled():
            done.exception()

    def _forget(self) -> None:
        """Drop pages that are too old, and the oldest while there are too many bytes."""
        now, size = time.monotonic(), sum(len(one.sealed.ciphertext) for one in self._kept.values())
        for paper_id, one in list(self._kept.items()):
            if one.until > now and size <= self._most_bytes:
                return
            del self._kept[paper_id]
            size -= len(one.sealed.ciphertext)


def _bound_to(campaign: CampaignId, paper_id: PaperId) -> str:
    """Return the associated data: under another paper's id the page does not open."""
    return f"kuji/drawn-page/1\x00{campaign}\x00{paper_id}"
