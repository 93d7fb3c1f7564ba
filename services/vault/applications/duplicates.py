"""Decide which applications stand: copies give way, doubts wait, decisions of handlers count. Pure.

The state of an application follows from the applications and pairs that it is loaded with, and not from the way that
led there: its own content, the first application with the same content, the doubts about its content, and decisions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from services.vault.applications.matching import COPY, keeps_place
from services.vault.applications.originals import Originals, find_losers, find_originals, is_open, order_of
from services.vault.applications.rules.pairs import Pair, PairDecision
from services.vault.applications.rules.states import DUPLICATE, ApplicationState
from services.vault.applications.stored import SAME_PERSON, Match, OwnDecision, StoredApplication, VersionTime
from shared.ids import ApplicationId


class DuplicateOrder:
    """Applications and pairs that one transaction touches.

    Of several applications with one content the first by arrival stands for all; it is the one that pairs are about.
    """

    def __init__(self, applications: Iterable[StoredApplication], pairs: Iterable[Pair] = ()) -> None:
        self._applications = {application.application_id: application for application in applications}
        self._before = dict(self._applications)
        self._pairs = {pair.contents: pair for pair in pairs}
        self._pairs_before = dict(self._pairs)
        self._touched: dict[ApplicationId, None] = {}
        self._is_settled = True

    def find(self, application_id: ApplicationId) -> StoredApplication | None:
        """Return an application of this transaction as it is now."""
        if application_id not in self._applications:
            return None
        self._settle_what_was_placed()
        return self._applications[application_id]

    def find_pair(self, contents: frozenset[str]) -> Pair | None:
        """Return a doubt of this transaction as it is now."""
        return self._pairs.get(contents)

    @property
    def pairs(self) -> list[Pair]:
        """All doubts of this transaction."""
        return list(self._pairs.values())

    @property
    def changed_pairs(self) -> list[Pair]:
        """Doubts that are new or were decided."""
        return [pair for contents, pair in self._pairs.items() if self._pairs_before.get(contents) != pair]

    @property
    def inserted(self) -> list[StoredApplication]:
        """Applications that the store does not have yet."""
        return [one for one in self.changed if one.application_id not in self._before]

    @property
    def replaced(self) -> list[StoredApplication]:
        """Applications of the store that changed."""
        return [one for one in self.changed if one.application_id in self._before]

    @property
    def changed(self) -> list[StoredApplication]:
        """Applications that are new or changed, each with its next revision."""
        self._settle_what_was_placed()
        return [self._numbered(one) for one in self._applications.values() if self._is_changed(one)]

    @property
    def gone_contents(self) -> set[str]:
        """Contents that none of these applications has any more."""
        before = {one.keys[COPY] for one in self._before.values() if COPY in one.keys}
        return before - {one.keys[COPY] for one in self._applications.values() if COPY in one.keys}

    def repeat(self, application_id: ApplicationId, version: int, received_at: datetime) -> None:
        """Answer a version that is not the applicant's: the content before it stands, under the new number."""
        earlier = self._applications[application_id]
        versions = (*earlier.versions, VersionTime(version, received_at, stands=False))
        self._put(replace(earlier, version=version, versions=versions))

    def add_person(self, application: StoredApplication) -> None:
        """Store an application with the person whom a late version names; its state is as before."""
        self._put(application)

    def add_pairs(self, pairs: Iterable[Pair]) -> None:
        """Add doubts that a search found; known ones stay as they are."""
        for pair in pairs:
            self._pairs.setdefault(pair.contents, pair)

    def place(self, judged: StoredApplication) -> None:
        """Store the content of a version: judged by the rules alone, its state is accepted, rejected or withdrawn.

        Whoever reads next settles it: once for all new applications of a batch.
        """
        earlier = self.find(judged.application_id)
        if earlier is not None:
            if keeps_place(earlier, judged):
                judged = replace(judged, arrived_at=earlier.arrived_at)
            judged = _with_own_decision(earlier, judged)
            self._inherit_decisions(earlier.keys.get(COPY), judged.keys.get(COPY))
        self._put(judged)
        self._is_settled = False

    def accept(self, application_id: ApplicationId, decided_by: str) -> StoredApplication:
        """Accept the own content of an application and of its copies, about which there was a doubt."""
        self._decide_own(application_id, lambda one: replace(one, own_decision=OwnDecision("accepted", decided_by)))
        return self._applications[application_id]

    def reject(self, application_id: ApplicationId, reason: str, decided_by: str) -> StoredApplication:
        """Reject an application and its copies for their own content."""

        def rejected(one: StoredApplication) -> StoredApplication:
            decision = OwnDecision("rejected", decided_by)
            state = ApplicationState.REJECTED
            return replace(one, own_decision=decision, state=state, reasons=(reason,), match=None)

        self._decide_own(application_id, rejected)
        return self._applications[application_id]

    def decide_pair(self, contents: frozenset[str], decision: PairDecision | None) -> None:
        """Write a handler's decision about a doubt; None takes it back. Raises KeyError for an unknown pair."""
        self._settle_what_was_placed()
        self._pairs[contents] = replace(self._pairs[contents], decision=decision)
        self.settle()

    def settle(self) -> None:
        """Give each application the state that follows from its content, its copies, doubts and decisions."""
        self._is_settled = True
        originals = find_originals(self._applications.values())
        losers = find_losers(originals, self._pairs.values())
        for application in list(self._applications.values()):
            if application.is_applying:
                self._applications[application.application_id] = self._settled(application, originals, losers)

    def open_pairs(self) -> list[Pair]:
        """Return the doubts that wait for a decision: both applications would stand without the other."""
        self._settle_what_was_placed()
        originals = find_originals(self._applications.values())
        losers = find_losers(originals, self._pairs.values())
        return [pair for pair in self._pairs.values() if is_open(pair, originals, losers)]

    def later_content(self, pair: Pair) -> str:
        """Return the content of an open doubt whose application came later, and waits."""
        self._settle_what_was_placed()
        originals = find_originals(self._applications.values())
        return max(pair.contents, key=lambda content: order_of(originals[content]))

    def _settled(
        self, application: StoredApplication, originals: Originals, losers: Mapping[str, Pair]
    ) -> StoredApplication:
        content = application.keys[COPY]
        original = originals[content]
        if original.application_id != application.application_id:
            decision = original.own_decision or application.own_decision
            match = Match(original.application_id, COPY)
            state = ApplicationState.SUPERSEDED
            return replace(application, state=state, reasons=(), match=match, own_decision=decision, decided_by=None)
        if content in losers:
            pair = losers[content]
            match = Match(originals[pair.other(content)].application_id, SAME_PERSON)
            by = pair.decision.decided_by if pair.decision else None
            state = ApplicationState.REJECTED
            return replace(application, state=state, reasons=(DUPLICATE,), match=match, decided_by=by)
        return _undecided(application, self._doubted(content, originals, losers))

    def _doubted(self, content: str, originals: Originals, losers: Mapping[str, Pair]) -> StoredApplication | None:
        """Return the first earlier application with which this content may be of one person."""
        pairs = [pair for pair in self._pairs.values() if content in pair.contents and is_open(pair, originals, losers)]
        others = [originals[pair.other(content)] for pair in pairs]
        earlier = [other for other in others if order_of(other) < order_of(originals[content])]
        return min(earlier, key=order_of, default=None)

    def _decide_own(
        self, application_id: ApplicationId, change: Callable[[StoredApplication], StoredApplication]
    ) -> None:
        self._settle_what_was_placed()
        content = self._applications[application_id].keys[COPY]
        for one in list(self._applications.values()):
            if one.is_applying and one.keys[COPY] == content:
                self._applications[one.application_id] = change(one)
        self.settle()

    def _inherit_decisions(self, earlier: str | None, now: str | None) -> None:
        """Let a decision about the content before count for the new one where all fields agree as they did."""
        if earlier is None or now is None or earlier == now:
            return
        for pair in [one for one in self._pairs.values() if now in one.contents and one.decision is None]:
            before = self._pairs.get(frozenset({earlier, pair.other(now)}))
            if before is not None and before.decision is not None and before.levels == pair.levels:
                stands = now if before.decision.stands == earlier else before.decision.stands
                self._pairs[pair.contents] = replace(pair, decision=replace(before.decision, stands=stands))

    def _settle_what_was_placed(self) -> None:
        if not self._is_settled:
            self.settle()

    def _put(self, application: StoredApplication) -> None:
        self._applications[application.application_id] = application
        self._touched[application.application_id] = None

    def _is_changed(self, application: StoredApplication) -> bool:
        own = application.application_id
        return own in self._touched or self._before.get(own) != application

    def _numbered(self, application: StoredApplication) -> StoredApplication:
        before = self._before.get(application.application_id)
        return application if before is None else replace(application, revision=before.revision + 1)


def _undecided(application: StoredApplication, doubted: StoredApplication | None) -> StoredApplication:
    """Return an application that no decision about another one touches."""
    match = None if doubted is None else Match(doubted.application_id, SAME_PERSON)
    is_held = match is not None or application.has_open_doubt
    state = ApplicationState.HELD if is_held else ApplicationState.ACCEPTED
    own = application.own_decision
    by = None if own is None else own.decided_by
    return replace(application, state=state, reasons=(), match=match, decided_by=by)


def _with_own_decision(earlier: StoredApplication, judged: StoredApplication) -> StoredApplication:
    """Return the new content with the decision about the earlier one, if it has the same doubt and address."""
    decision = earlier.own_decision
    if decision is None or not judged.is_applying or earlier.doubts != judged.doubts:
        return judged
    if decision.kind == "accepted" and keeps_place(earlier, judged):
        return replace(judged, own_decision=decision)
    if decision.kind == "rejected" and earlier.keys == judged.keys:
        state = ApplicationState.REJECTED
        return replace(
            judged, own_decision=decision, state=state, reasons=earlier.reasons, decided_by=decision.decided_by
        )
    return judged
