"""Settle a paper: keyed into applications, or discarded with a reason. Publish it to intake."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.vault.applications.rules.content import Unreadable, judge_keyed
from services.vault.applications.rules.residency import Municipalities
from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.papers.draft_repository import Draft, DraftRepository, StoredDraft
from services.vault.papers.inbox import PURPOSE
from services.vault.papers.repository import PaperRepository, SettledPaper, StoredPaper
from services.vault.papers.rules.looks import Outcome
from services.vault.papers.rules.states import PaperState
from shared.campaign import Campaign
from shared.canonical import canonical
from shared.codes import intake_proof, new_code, proof_digest
from shared.contracts import ApplicationsRejected, KeyedApplication, PaperSettled, RejectedApplication
from shared.ids import ApplicationId, CampaignId, PaperId, derived_event_id, new_application_id
from shared.json_types import JsonObject
from shared.storage import Store, UnitOfWork


class AlreadySettledError(Exception):
    """Raised when the paper was settled otherwise before; `state` is its state."""

    def __init__(self, state: PaperState) -> None:
        super().__init__(state.value)
        self.state = state


class NotKeyableError(Exception):
    """Raised when keyed content is no application. `position` counts from 0; `reasons` are codes, without content."""

    def __init__(self, position: int, reasons: tuple[str, ...]) -> None:
        super().__init__("keyed content is no application")
        self.position, self.reasons = position, reasons


@dataclass(frozen=True)
class Settlement:
    """Agreed word on a paper. `reason` is a code (`blank`, `duplicate`), never a sentence; `forms` are contents."""

    decision: Literal["keyed", "discarded"]
    actor: str
    at: datetime
    outcome: Outcome
    forms: tuple[JsonObject, ...] = field(default=(), repr=False)
    reason: str | None = None


class PaperSettler:
    """Write settlements of papers, within the transaction of the last keying."""

    def __init__(
        self,
        store: Store,
        audit: AuditLog,
        campaigns: Mapping[CampaignId, Campaign],
        municipalities: Municipalities,
    ) -> None:
        self._audit, self._campaigns, self._municipalities = audit, campaigns, municipalities
        self._papers, self._drafts = PaperRepository(store), DraftRepository(store)

    def check_forms(self, paper: StoredPaper, forms: Sequence[JsonObject]) -> None:
        """Raise NotKeyableError for content that is no application. One that breaks a rule is keyed all the same."""
        for position, form in enumerate(forms):
            verdict = judge_keyed(form, paper.channel, self._campaigns[paper.campaign], self._municipalities)
            if isinstance(verdict, Unreadable):
                raise NotKeyableError(position, verdict.reasons)

    async def write(
        self, uow: UnitOfWork, keys: CampaignKeys, paper: StoredPaper, settlement: Settlement
    ) -> SettledPaper:
        """Write a settlement and publish it. The caller read in the same unit of work that the paper is unsettled."""
        drafts = [_new_draft(paper.campaign, form) for form in settlement.forms]
        ids = tuple(draft.application_id for draft in drafts)
        digest = digest_of(keys, paper.paper_id, settlement.decision, settlement.reason, settlement.forms)
        settled = SettledPaper(PaperState(settlement.decision), ids, digest)
        await self._papers.settle(
            uow, paper.paper_id, settled, settled_by=settlement.actor, at=settlement.at,
            outcome=settlement.outcome, reason=settlement.reason,
        )  # fmt: skip
        await self._audit.record([_audit_event(keys, paper, settlement)])
        if drafts:
            stored = await asyncio.to_thread(_encrypt, keys, paper, drafts)
            await self._drafts.insert(uow, stored)
        else:
            await uow.emit(_discarded(paper))
        await uow.emit(_settled(paper, settlement, drafts), derived_event_id(PaperSettled.name, paper.paper_id))
        return settled


def _new_draft(campaign: CampaignId, form: JsonObject) -> Draft:
    """Return a draft with an application id and a code of its own; no application has the id of its paper."""
    application_id: ApplicationId = new_application_id()
    return Draft(application_id, form, new_code(campaign, application_id))


def _encrypt(keys: CampaignKeys, paper: StoredPaper, drafts: Sequence[Draft]) -> list[StoredDraft]:
    return [
        StoredDraft.encrypt(keys, paper.campaign, paper.paper_id, position, draft)
        for position, draft in enumerate(drafts)
    ]


def _settled(paper: StoredPaper, settlement: Settlement, drafts: Sequence[Draft]) -> PaperSettled:
    return PaperSettled(
        campaign=paper.campaign,
        paper_id=paper.paper_id,
        state=settlement.decision,
        applications=tuple(
            KeyedApplication(
                application_id=draft.application_id,
                proof_sha256=proof_digest(intake_proof(paper.campaign, draft.application_id, draft.code)),
            )
            for draft in drafts
        ),
    )


def _discarded(paper: StoredPaper) -> ApplicationsRejected:
    """Return the verdict on the receipt of a paper that is no application: the draw does not wait for it."""
    item = RejectedApplication(receipt=paper.receipt, version=1, verdict="discarded", channel=paper.channel, revision=1)
    return ApplicationsRejected(campaign=paper.campaign, items=(item,))


def digest_of(
    keys: CampaignKeys, paper_id: PaperId, decision: str, reason: str | None, forms: Sequence[JsonObject]
) -> str:
    """Return a keyed hash of a settlement, by which the same request is known again. The actor is not in it."""
    content = {"decision": decision, "reason": reason, "applications": [dict(form) for form in forms]}
    return keys.index_of("settlement", f"{paper_id}\x00{canonical(content).decode('utf-8')}")


def _audit_event(keys: CampaignKeys, paper: StoredPaper, settlement: Settlement) -> AuditEvent:
    """Return the line. The outcome says whose word it is: of two who agreed, of a third, of one person alone."""
    action = f"paper:{settlement.decision}"
    outcome = f"{settlement.outcome} {settlement.reason}" if settlement.reason else settlement.outcome.value
    subject = keys.subject_of(paper.paper_id)
    return AuditEvent(settlement.actor, "handler", action, PURPOSE, paper.campaign, subject, outcome)
