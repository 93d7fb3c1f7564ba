"""Let a person decide about held applications. The queue holds ids and reasons, never a name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from services.vault.applications.duplicates import DuplicateOrder
from services.vault.applications.matching import COPY
from services.vault.applications.order_repository import OrderRepository
from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.rules.decision_reasons import OWN_REASONS, PAIR_REASONS
from services.vault.applications.rules.pairs import Pair, PairDecision, PairVerdict
from services.vault.applications.rules.states import DECISIONS, DUPLICATE, ApplicationState
from services.vault.applications.stored import StoredApplication
from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.keystore import Keystore
from shared.clock import Clock
from shared.errors import KujiError
from shared.ids import ApplicationId, CampaignId, Receipt
from shared.storage import Store, UnitOfWork

PURPOSE: Final = "review"

_MATCH_REASONS: Final = frozenset({*PAIR_REASONS[PairVerdict.SAME_PERSON]})


class NotHeldError(KujiError):
    """Raised when an application does not wait for a decision. `state` is its state, None if it is unknown."""

    def __init__(self, state: str | None) -> None:
        super().__init__("not waiting for a decision")
        self.state = state


class UnknownPairError(KujiError):
    """Raised when two contents are no doubt, or one of them has no application any more."""


class AlreadyDecidedError(KujiError):
    """Raised when a doubt has the decision of another handler, or does not wait for one."""


@dataclass(frozen=True)
class ReviewDecision:
    """A handler's decision; `reason` is a code (`duplicate`, `namesake`), never a sentence."""

    decision: Literal["accept", "reject"]
    reason: str
    actor: str

    @property
    def is_known(self) -> bool:
        """True if the reason is one of the list."""
        if self.decision == "accept":
            two = {*PAIR_REASONS[PairVerdict.TWO_PEOPLE], *PAIR_REASONS[PairVerdict.HOUSEHOLD]}
            return self.reason in {*OWN_REASONS["accept"], *two}
        return self.reason in {*OWN_REASONS["reject"], *_MATCH_REASONS}


@dataclass(frozen=True)
class HeldEntry:
    """A held application, and the receipt number of the application that it matches, if any."""

    application: StoredApplication
    match_receipt: Receipt | None


class ReviewQueue:
    """Read the held applications of a campaign and write decisions about them."""

    def __init__(self, store: Store, keystore: Keystore, audit: AuditLog, clock: Clock) -> None:
        self._store, self._keystore, self._audit, self._clock = store, keystore, audit, clock
        self._applications, self._orders = ApplicationRepository(store), OrderRepository(store)

    async def held(self, campaign: CampaignId, limit: int = 0) -> list[HeldEntry]:
        """Return the applications that wait for a decision, the longest waiting first; `limit` 0: all."""
        held = await self._applications.held(campaign, limit)
        receipts = await self._applications.receipts([one.match.application_id for one in held if one.match])
        return [HeldEntry(one, receipts.get(one.match.application_id) if one.match else None) for one in held]

    async def count_held(self, campaign: CampaignId) -> int:
        """Count the applications that wait for a decision."""
        return await self._applications.count_held(campaign)

    async def decide(
        self, campaign: CampaignId, application_id: ApplicationId, decision: ReviewDecision
    ) -> ApplicationState:
        """Decide a held application and return its new state.

        Accepting it decides its doubts, about its content and about earlier applications, for two people. Rejecting
        it for a match lets the matched application stand. Raises NotHeldError if it is not waiting any more or does
        not exist; VaultLockedError.
        """
        at = self._clock.now()

        def change(order: DuplicateOrder) -> None:
            if decision.decision == "accept":
                accept_held(order, application_id, decision, at)
            else:
                reject_held(order, application_id, decision, at)

        target = ApplicationState.ACCEPTED if decision.decision == "accept" else ApplicationState.REJECTED
        order = await self._write(campaign, application_id, f"review:{decision.decision}", decision, change, target)
        return _found(order, application_id).state

    async def decide_pair(
        self, campaign: CampaignId, one: ApplicationId, other: ApplicationId, decision: PairDecision
    ) -> None:
        """Decide a doubt about two applications. Raises UnknownPairError, AlreadyDecidedError, VaultLockedError."""

        def decided(pair: Pair, order: DuplicateOrder) -> PairDecision:
            if pair not in order.open_pairs():
                raise AlreadyDecidedError("the doubt does not wait for a decision")
            return decision

        await self._write_pair(campaign, one, other, f"review:{decision.verdict.value}", decision.decided_by, decided)

    async def undo_pair(self, campaign: CampaignId, one: ApplicationId, other: ApplicationId, actor: str) -> None:
        """Take a decision back; the doubt waits again. Raises UnknownPairError, AlreadyDecidedError if none stands."""

        def undone(pair: Pair, _: DuplicateOrder) -> None:
            if pair.decision is None:
                raise AlreadyDecidedError("the doubt has no decision")

        await self._write_pair(campaign, one, other, "review:undo", actor, undone)

    async def _write_pair(
        self,
        campaign: CampaignId,
        one: ApplicationId,
        other: ApplicationId,
        action: str,
        actor: str,
        decide: Callable[[Pair, DuplicateOrder], PairDecision | None],
    ) -> None:
        keys = self._keystore.campaign(campaign)
        lines = [
            AuditEvent(actor, "handler", action, PURPOSE, campaign, keys.subject_of(each), "decided")
            for each in (one, other)
        ]

        async def write(uow: UnitOfWork) -> None:
            known = await self._applications.by_ids(uow, campaign, {one, other})
            contents = frozenset(row.keys[COPY] for row in known.values() if COPY in row.keys)
            order = await self._orders.load(uow, campaign, list(known.values()))
            pair = order.find_pair(contents)
            if len(known) < len({one, other}) or pair is None:
                raise UnknownPairError("these two applications are no doubt")
            order.decide_pair(contents, decide(pair, order))
            await self._audit.record(lines)
            await self._orders.save(uow, campaign, order)

        await self._store.transact(write)

    async def _write(
        self,
        campaign: CampaignId,
        application_id: ApplicationId,
        action: str,
        decision: ReviewDecision,
        change: Callable[[DuplicateOrder], None],
        target: ApplicationState,
    ) -> DuplicateOrder:
        subject = self._keystore.campaign(campaign).subject_of(application_id)
        line = AuditEvent(decision.actor, "handler", action, PURPOSE, campaign, subject, decision.reason)

        async def write(uow: UnitOfWork) -> DuplicateOrder:
            known = await self._applications.by_ids(uow, campaign, {application_id})
            held = known.get(application_id)
            if held is None or not DECISIONS.allows(held.state, target):
                raise NotHeldError(held.state if held else None)
            order = await self._orders.load(uow, campaign, [held])
            change(order)
            await self._audit.record([line])
            await self._orders.save(uow, campaign, order)
            return order

        return await self._store.transact(write)


def accept_held(order: DuplicateOrder, application_id: ApplicationId, decision: ReviewDecision, at: datetime) -> None:
    """Accept a held application: its content, and each doubt about an earlier one, which is another person's."""
    content = _found(order, application_id).keys[COPY]
    is_household = decision.reason in PAIR_REASONS[PairVerdict.HOUSEHOLD]
    verdict = PairVerdict.HOUSEHOLD if is_household else PairVerdict.TWO_PEOPLE
    for pair in order.open_pairs():
        if order.later_content(pair) == content:
            order.decide_pair(pair.contents, _pair_decision(verdict, None, decision, at))
    if _found(order, application_id).has_open_doubt:
        order.accept(application_id, decision.actor)


def reject_held(order: DuplicateOrder, application_id: ApplicationId, decision: ReviewDecision, at: datetime) -> None:
    """Reject a held application: for its match, which then stands, or for its own content."""
    held = _found(order, application_id)
    is_about_match = held.match is not None and (decision.reason in _MATCH_REASONS or not held.doubts)
    if held.match is None or not is_about_match:
        order.reject(application_id, decision.reason, decision.actor)
        return
    content, stands = held.keys[COPY], _found(order, held.match.application_id).keys[COPY]
    same = _pair_decision(PairVerdict.SAME_PERSON, stands, replace(decision, reason=DUPLICATE), at)
    order.decide_pair(frozenset({content, stands}), same)


def _pair_decision(verdict: PairVerdict, stands: str | None, decision: ReviewDecision, at: datetime) -> PairDecision:
    return PairDecision(verdict, stands, decision.reason, decision.actor, at)


def _found(order: DuplicateOrder, application_id: ApplicationId) -> StoredApplication:
    found = order.find(application_id)
    if found is None:
        raise KeyError("an application of this transaction")
    return found
