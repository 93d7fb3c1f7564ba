"""Take sealed papers in: open, scan for malware, inspect, store."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.opening import NotOpenedError, Opener
from services.vault.keys.keystore import Keystore
from services.vault.papers.clamd import Scanner
from services.vault.papers.repository import PaperRepository, StoredPaper
from services.vault.papers.rules.states import UNSETTLED, PaperState
from services.vault.papers.sandbox import Sandbox
from services.vault.papers.slow_lane import SlowLane
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import PaperReceived
from shared.errors import PermanentError
from shared.ids import CampaignId, PaperId
from shared.logging import get_logger
from shared.paper_files import FileFacts, NotAPaperError
from shared.storage import Store, UnitOfWork

PURPOSE = "keying"

_log = get_logger(__name__)


class UnknownPaperError(Exception):
    """Raised when the campaign has no paper of that id."""


@dataclass(frozen=True)
class PaperOverview:
    """A campaign's papers, the oldest first. `oldest_waiting_s` is in seconds; None if no paper waits for a handler."""

    papers: Sequence[StoredPaper]
    unkeyed: int
    oldest_waiting_s: float | None


@dataclass(frozen=True)
class _Inspected:
    """Result of opening and inspecting a paper. `content` is None if it did not open."""

    state: PaperState
    content: bytes | None = field(default=None, repr=False)
    facts: FileFacts | None = None
    reason: str | None = None


class PaperInbox:
    """Handle `paper.received`. While the vault is locked or clamd does not answer, messages wait in the queue."""

    _MOST_PREPARED: Final = 8
    """Papers that were inspected and wait for their transaction; encrypted, and 8 MB each at most."""

    def __init__(
        self,
        store: Store,
        keystore: Keystore,
        audit: AuditLog,
        campaigns: Mapping[CampaignId, Campaign],
        clock: Clock,
        scanner: Scanner,
        sandbox: Sandbox,
    ) -> None:
        self._papers = PaperRepository(store)
        self._keystore, self._audit, self._campaigns, self._clock = keystore, audit, campaigns, clock
        self._scanner, self._sandbox = scanner, sandbox
        self._inspected: dict[PaperId, StoredPaper] = {}
        self._lane = SlowLane[StoredPaper]()

    async def prepare(self, events: Sequence[PaperReceived]) -> None:
        """Open and inspect papers before the transaction, side by side: decoding may take seconds.

        What one of them raises is raised after all others were kept, so that they are not inspected again.
        """
        fresh = [event for event in events if event.paper_id not in self._inspected]
        found = await asyncio.gather(*map(self._inspect_in_time, fresh), return_exceptions=True)
        for event, paper in zip(fresh, found, strict=True):
            if isinstance(paper, StoredPaper):
                self._inspected[event.paper_id] = paper
        for known in list(self._inspected)[: -self._MOST_PREPARED]:
            del self._inspected[known]
        for failure in found:
            if isinstance(failure, BaseException):
                raise failure

    async def _inspect_in_time(self, event: PaperReceived) -> StoredPaper:
        return await self._lane.get(event.paper_id, lambda: self._inspect(event))

    async def on_received(self, events: Sequence[PaperReceived], uow: UnitOfWork) -> None:
        """Store each prepared paper that the vault does not have yet."""
        for event in {event.paper_id: event for event in events}.values():
            if not await self._papers.is_known(uow, event.paper_id):
                paper = self._inspected.get(event.paper_id) or await self._inspect_in_time(event)
                await self._take(event, paper, uow)

    async def _take(self, event: PaperReceived, paper: StoredPaper, uow: UnitOfWork) -> None:
        keys = self._keystore.campaign(event.campaign)
        await self._audit.record([_audit_event(keys, event.campaign, event.paper_id, paper.state)])
        await self._papers.insert(uow, paper)
        _log.info(
            "paper-taken",
            campaign=event.campaign,
            receipt=event.receipt,
            channel=event.channel,
            state=paper.state.value,
            code=paper.reason,
        )

    async def _inspect(self, event: PaperReceived) -> StoredPaper:
        if event.campaign not in self._campaigns:
            raise PermanentError(f"campaign {event.campaign} is not one of this installation")
        keys = self._keystore.campaign(event.campaign)
        taken_at = self._clock.now()
        inspected = await self._open_and_scan(event, keys)
        return await asyncio.to_thread(
            StoredPaper.encrypt,
            keys,
            event,
            state=inspected.state,
            taken_at=taken_at,
            content=inspected.content,
            facts=inspected.facts,
            reason=inspected.reason,
        )

    async def _open_and_scan(self, event: PaperReceived, keys: CampaignKeys) -> _Inspected:
        """Open the paper and scan it before it is decoded: no decoder reads a file with malware."""
        opener = Opener(event.campaign, keys)
        try:
            content = await asyncio.to_thread(opener.open_paper, event.sealed, event.key_id, event.paper_id)
        except NotOpenedError:
            return _Inspected(PaperState.UNREADABLE, reason="not-opened")
        if await self._scanner.is_infected(content):
            return _Inspected(PaperState.QUARANTINED, content, reason="malware")
        try:
            return _Inspected(PaperState.WAITING, content, await self._sandbox.inspect(content))
        except NotAPaperError as refusal:
            return _Inspected(PaperState.UNREADABLE, content, reason=refusal.code)

    async def overview(self, campaign: CampaignId) -> PaperOverview:
        """Return every paper of the campaign without its file, and how long the oldest has waited."""
        papers = await self._papers.papers(campaign)
        waiting = [paper.taken_at for paper in papers if paper.state in UNSETTLED]
        oldest_s = (self._clock.now() - min(waiting)).total_seconds() if waiting else None
        return PaperOverview(papers, len(waiting), oldest_s)


def _audit_event(keys: CampaignKeys, campaign: CampaignId, paper_id: PaperId, outcome: str) -> AuditEvent:
    return AuditEvent("vault", "service", "open", "intake", campaign, keys.subject_of(paper_id), outcome)
