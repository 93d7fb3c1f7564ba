"""From a sealed paper to one a handler can key: opened, scanned, looked at, kept; and shown only on record."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.sealing import NotOpenedError, Opener
from services.vault.keys.keystore import Keystore
from services.vault.papers import archive
from services.vault.papers.clamd import Scanner
from services.vault.papers.rules.states import UNSETTLED, PaperState
from services.vault.papers.sandbox import Sandbox
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import PaperReceived
from shared.errors import PermanentError
from shared.ids import CampaignId, PaperId, Serial
from shared.logging import get_logger
from shared.paper_files import Kind, NotAPaperError
from shared.storage import Store, UnitOfWork

PURPOSE = "keying"

_log = get_logger(__name__)


class UnknownPaperError(Exception):
    """There is no paper of that id in the campaign."""


class NotShownError(Exception):
    """The paper is never shown: its state says why."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


@dataclass(frozen=True)
class PaperFile:
    """A paper in the clear, for as short as possible."""

    serial: Serial
    kind: Kind
    content: bytes = field(repr=False)


class PaperInbox:
    """Handles `paper.received`. While vault or scanner are away, messages wait with the broker."""

    def __init__(
        self,
        store: Store,
        keystore: Keystore,
        audit: AuditLog,
        campaigns: Mapping[CampaignId, Campaign],
        clock: Clock,
        scanner: Scanner,
        looking: Sandbox,
    ) -> None:
        self._papers = store.db[archive.COLLECTION]
        self._keystore, self._audit, self._campaigns, self._clock = keystore, audit, campaigns, clock
        self._scanner, self._looking = scanner, looking

    async def on_received(self, events: Sequence[PaperReceived], uow: UnitOfWork) -> None:
        for event in events:
            known = await uow.db[archive.COLLECTION].find_one({"_id": event.paper_id}, {"_id": 1}, session=uow.session)
            if known is None:
                await self._take(event, uow)

    async def _take(self, event: PaperReceived, uow: UnitOfWork) -> None:
        if event.campaign not in self._campaigns:
            raise PermanentError(f"campaign {event.campaign} is not one of this installation")
        keys = self._keystore.campaign(event.campaign)
        document = await self._judge(event, keys)
        await self._audit.record([_audited(keys, event.campaign, event.paper_id, "open", "vault", document["state"])])
        await uow.db[archive.COLLECTION].insert_one(document, session=uow.session)
        _log.info(
            "paper-taken",
            campaign=event.campaign,
            receipt=event.receipt,
            channel=event.channel,
            state=document["state"],
            code=document["reason"],
        )

    async def _judge(self, event: PaperReceived, keys: CampaignKeys) -> dict[str, Any]:
        """Scanned before it is decoded: nothing but the scanner looks into malware."""
        facts: dict[str, Any] = {"content": None, "taken_at": self._clock.now()}
        try:
            opener = Opener(event.campaign, keys)
            content = facts["content"] = await asyncio.to_thread(
                opener.open_paper, event.sealed, event.key_id, event.paper_id
            )
            if await self._scanner.is_infected(content):
                facts |= {"state": PaperState.QUARANTINED, "reason": "malware"}
            else:
                facts |= {"state": PaperState.WAITING, "look": await self._looking.at(content)}
        except NotOpenedError:
            facts |= {"state": PaperState.UNREADABLE, "reason": "not-opened"}
        except NotAPaperError as refusal:
            facts |= {"state": PaperState.UNREADABLE, "reason": refusal.code}
        return await asyncio.to_thread(lambda: archive.paper_document(keys, event, **facts))

    async def overview(self, campaign: CampaignId) -> dict[str, Any]:
        """Counts by state, seconds the oldest has waited (None where none waits), and every paper, oldest first."""
        found = self._papers.find({"campaign": campaign}, archive.NOT_THE_FILE).sort([("taken_at", 1), ("_id", 1)])
        papers = [document async for document in found]
        states = [document["state"] for document in papers]
        waiting = [document["taken_at"] for document in papers if document["state"] in UNSETTLED]
        oldest_s = (self._clock.now() - min(waiting)).total_seconds() if waiting else None
        return {
            "counts": {state.value: states.count(state) for state in PaperState},
            "unkeyed": len(waiting),
            "oldest_waiting_s": oldest_s,
            "papers": [archive.shown(document) for document in papers],
        }

    async def show(self, campaign: CampaignId, paper_id: PaperId, *, actor: str) -> PaperFile:
        """Return the file, after the audit line is durable.

        Raises UnknownPaperError, NotShownError, KeyDestroyedError, VaultLockedError.
        """
        document = await self._papers.find_one({"_id": paper_id, "campaign": campaign})
        if document is None:
            raise UnknownPaperError
        if document["kind"] is None or document["ciphertext"] is None:
            raise NotShownError(document["state"])
        keys = self._keystore.campaign(campaign)
        await self._audit.record([_audited(keys, campaign, paper_id, "show-paper", actor, "shown")])
        content = await asyncio.to_thread(archive.open_paper, keys, document)
        return PaperFile(document["serial"], Kind(document["kind"]), content)


def _audited(
    keys: CampaignKeys, campaign: CampaignId, paper_id: PaperId, action: str, actor: str, outcome: str
) -> AuditEvent:
    role, purpose = ("service", "intake") if actor == "vault" else ("handler", PURPOSE)
    return AuditEvent(actor, role, action, purpose, campaign, keys.subject_of(paper_id), outcome)
