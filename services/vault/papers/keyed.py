"""Register keyed applications as soon as intake has given them receipt numbers, and publish their verdicts."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.vault.applications.processing import open_version
from services.vault.applications.rules.content import judge_keyed
from services.vault.applications.rules.residency import Municipalities
from services.vault.applications.search import DuplicateSearch
from services.vault.applications.verdicts import Arrival, OpenedVersion, VerdictWriter
from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.keystore import Keystore
from services.vault.papers.draft_repository import DraftRepository, StoredDraft
from services.vault.papers.inbox import PURPOSE
from services.vault.papers.repository import PaperRepository, StoredPaper
from services.vault.papers.rules.states import PaperState
from shared.campaign import Campaign
from shared.contracts import ReceiptsAssigned
from shared.errors import PermanentError
from shared.ids import CampaignId, Receipt, new_token
from shared.storage import Store, UnitOfWork


class KeyedApplications:
    """Handle `receipts.assigned`. Drafts become applications in one transaction, so a repeated message finds none."""

    def __init__(
        self,
        store: Store,
        keystore: Keystore,
        audit: AuditLog,
        campaigns: Mapping[CampaignId, Campaign],
        municipalities: Municipalities,
        search: DuplicateSearch,
    ) -> None:
        self._papers, self._drafts = PaperRepository(store), DraftRepository(store)
        self._verdicts = VerdictWriter(store, search)
        self._keystore, self._audit = keystore, audit
        self._campaigns, self._municipalities = campaigns, municipalities

    async def on_assigned(self, events: Sequence[ReceiptsAssigned], uow: UnitOfWork) -> None:
        """Register the applications of each paper."""
        for event in events:
            if event.campaign not in self._campaigns:
                raise PermanentError(f"campaign {event.campaign} is not one of this installation")
            await self._register(event, uow)

    async def _register(self, event: ReceiptsAssigned, uow: UnitOfWork) -> None:
        paper = await self._papers.find(event.campaign, event.paper_id, uow)
        _check(event, paper)
        drafts = await self._drafts.of_paper(uow, event.campaign, event.paper_id)
        if paper is None or not drafts:
            return
        keys = self._keystore.campaign(event.campaign)
        receipts = {item.application_id: item.receipt for item in event.items}
        opened = await asyncio.to_thread(
            lambda: [self._open(keys, paper, draft, receipts[draft.application_id]) for draft in drafts]
        )
        await self._audit.record([_audit_event(keys, event.campaign, draft) for draft in drafts])
        await self._verdicts.write(uow, event.campaign, {}, opened)
        await self._drafts.remove(uow, event.paper_id)

    def _open(self, keys: CampaignKeys, paper: StoredPaper, stored: StoredDraft, receipt: Receipt) -> OpenedVersion:
        draft = stored.decrypt(keys)
        verdict = judge_keyed(draft.form, paper.channel, self._campaigns[paper.campaign], self._municipalities)
        arrival = Arrival(draft.application_id, receipt, 1, paper.channel, paper.received_at)
        return open_version(paper.campaign, keys, arrival, replace(verdict, code=draft.code), new_token())


def _check(event: ReceiptsAssigned, paper: StoredPaper | None) -> None:
    """Raise PermanentError unless the receipts are for exactly the applications of this paper, its own first."""
    if paper is None or paper.state is not PaperState.KEYED:
        raise PermanentError(f"paper {event.paper_id} is not keyed; nothing was registered")
    ids = tuple(item.application_id for item in event.items)
    if ids != paper.application_ids or event.items[0].receipt != paper.receipt:
        raise PermanentError(f"the receipts of paper {event.paper_id} are not for its applications")


def _audit_event(keys: CampaignKeys, campaign: CampaignId, draft: StoredDraft) -> AuditEvent:
    subject = keys.subject_of(draft.application_id)
    return AuditEvent("vault", "service", "register-keyed", PURPOSE, campaign, subject, "registered")
