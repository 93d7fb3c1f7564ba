"""Take keyings of papers in: two blind ones by two people, and a resolution by a third where they differ (R-B5).

Keyings are drafts, encrypted under the campaign's key, and no applications. The last one that a paper needs settles
it in the same transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.keystore import Keystore
from services.vault.papers.counts_repository import CountsRepository
from services.vault.papers.inbox import PURPOSE, UnknownPaperError
from services.vault.papers.keyers import Keyers
from services.vault.papers.keying_repository import Holder, HoldRepository, KeyingRepository, StoredKeying
from services.vault.papers.repository import PaperRepository, SettledPaper, StoredPaper
from services.vault.papers.rules.keyed_content import KeyedContent, fill_marked, keeps_agreed, open_fields
from services.vault.papers.rules.looks import (
    HOLD,
    SAMPLE_SHARE,
    Look,
    Outcome,
    may_take,
    next_look,
    outcome_of,
    required_keyings,
)
from services.vault.papers.rules.states import UNSETTLED, PaperState
from services.vault.papers.seeded_repository import SeededPapers
from services.vault.papers.settle import AlreadySettledError, NotKeyableError, PaperSettler, Settlement, digest_of
from shared.campaign import Campaign
from shared.clock import Clock
from shared.errors import RefusedError
from shared.ids import CampaignId, PaperId
from shared.staff_roles import Role
from shared.storage import Store, UnitOfWork

_ROLE: Final = "handler"


class NotYourLookError(RefusedError):
    """Raised when the person may not take the paper's next look."""


@dataclass(frozen=True)
class Keyer:
    """Signed-in person who keys, and the browser that holds the paper. `is_program`: it takes no hold beforehand."""

    person: str
    roles: Collection[Role]
    browser: str
    is_program: bool = False

    @property
    def holder(self) -> Holder:
        """Name under which papers are held."""
        return Holder(self.person, self.browser)


@dataclass(frozen=True)
class KeyingNeed:
    """State of an unsettled paper's keyings. `required`: keyings before a comparison; `people`: who may key at all."""

    keyed_by: Sequence[str]
    required: int
    people: int

    @property
    def look(self) -> Look:
        """Look that the paper needs."""
        return next_look(len(self.keyed_by), self.required)

    def is_for(self, keyer: Keyer) -> bool:
        """Return True if this person may take the look."""
        return self.may_be_taken(keyer.person, keyer.roles)

    def may_be_taken(self, person: str, roles: Collection[Role]) -> bool:
        """Return True if a person with these roles may take the look."""
        return may_take(self.look, person, self.keyed_by, roles, self.people)

    def outcome(self, keyer: Keyer) -> Outcome:
        """Return how the paper is settled by this person's look."""
        return outcome_of(self.look, keyer.person, self.keyed_by, keyer.roles, self.people)


class Keying:
    """Accept keyings, compare them, and settle papers."""

    def __init__(
        self,
        store: Store,
        keystore: Keystore,
        audit: AuditLog,
        campaigns: Mapping[CampaignId, Campaign],
        clock: Clock,
        keyers: Keyers,
        settler: PaperSettler,
    ) -> None:
        self._store, self._keystore, self._audit, self._clock = store, keystore, audit, clock
        self._campaigns, self.keyers, self._settler = campaigns, keyers, settler
        self.papers, self.keyings, self.holds = PaperRepository(store), KeyingRepository(store), HoldRepository(store)
        self._counts, self.seeded = CountsRepository(store), SeededPapers(store)

    def need_of(self, campaign: CampaignId, paper_id: PaperId, keyed_by: Sequence[str], people: int) -> KeyingNeed:
        """Return what a paper needs. A keyed hash chooses the sample, so that no keyer can foresee it."""
        sample = self._keystore.campaign(campaign).index_of("keying-sample", paper_id)
        mode = self._campaigns[campaign].keying
        required = required_keyings(mode, people, in_sample=int(sample[:8], 16) % SAMPLE_SHARE == 0)
        return KeyingNeed(keyed_by, required, people)

    async def submit(self, campaign: CampaignId, paper_id: PaperId, keyer: Keyer, keyed: KeyedContent) -> SettledPaper:
        """Take one keying; return the paper's state and, once it is settled, its applications.

        Raises UnknownPaperError, NotKeyableError, AlreadySettledError, NotYourLookError, KeyDestroyedError,
        VaultLockedError.
        """
        keys = self._keystore.campaign(campaign)
        paper = await self.papers.find(campaign, paper_id) or await self.seeded.find(campaign, paper_id)
        if paper is None:
            raise UnknownPaperError
        self.check(paper, keyed)
        keyed = keyed.in_one_width()
        await self._hold(paper, keyer)
        people, now = await self.keyers.count(), self._clock.now()

        async def write(uow: UnitOfWork) -> SettledPaper:
            current = await self.papers.settled(uow, campaign, paper_id)
            if current is None:
                return await self._measure(uow, keys, paper, keyer, keyed)
            await self.holds.give_up(paper_id, keyer.holder, uow)
            if current.state not in UNSETTLED:
                return _repeated(keys, paper_id, keyed, current)
            earlier = await self.keyings.of_paper(campaign, paper_id, uow)
            need = self.need_of(campaign, paper_id, [one.by for one in earlier], people)
            return await self._take(uow, _Turn(keys, paper, keyer, now, need, earlier), keyed, current)

        try:
            return await self._store.transact(write)
        except (NotYourLookError, NotKeyableError) as refusal:
            may_mend = isinstance(refusal, NotKeyableError) or refusal.reason == "agreed-changed"
            if keyer.is_program or not may_mend:
                await self.holds.give_up(paper_id, keyer.holder)
            raise

    async def _measure(
        self, uow: UnitOfWork, keys: CampaignKeys, paper: StoredPaper, keyer: Keyer, keyed: KeyedContent
    ) -> SettledPaper:
        """Count the keying of a seeded paper; the answer is that of a first keying. Raises UnknownPaperError."""
        campaign, paper_id = paper.campaign, paper.paper_id
        if not await self.seeded.measure(uow, keys, campaign, paper_id, keyer.person, keyed):
            raise UnknownPaperError
        await self.holds.give_up(paper_id, keyer.holder, uow)
        subject = keys.subject_of(paper_id)
        line = AuditEvent(keyer.person, _ROLE, "key-seeded-paper", PURPOSE, campaign, subject, "measured")
        await self._audit.record([line])
        return SettledPaper(PaperState.WAITING, (), None)

    async def _hold(self, paper: StoredPaper, keyer: Keyer) -> None:
        now = self._clock.now()
        if paper.state in UNSETTLED and not await self.holds.take(
            paper.campaign, paper.paper_id, keyer.holder, now, now + HOLD
        ):
            raise NotYourLookError("held")

    def check(self, paper: StoredPaper, keyed: KeyedContent) -> None:
        """Raise NotKeyableError where a sheet is no application even with values for its marked fields."""
        first = self._campaigns[paper.campaign].classes[0].id
        self._settler.check_forms(paper, [fill_marked(sheet.form, sheet.marks, first) for sheet in keyed.sheets])

    def _check_final(self, paper: StoredPaper, final: KeyedContent) -> None:
        """Raise NotKeyableError for a resolution that leaves a field unread, or that is no application."""
        for position, sheet in enumerate(final.sheets):
            if "unreadable" in sheet.marks.values():
                raise NotKeyableError(position, ("unreadable",))
        self._settler.check_forms(paper, final.forms)

    async def _take(self, uow: UnitOfWork, turn: "_Turn", keyed: KeyedContent, current: SettledPaper) -> SettledPaper:
        """Write the keying as the look that the paper needs."""
        if not turn.need.is_for(turn.keyer):
            return turn.repeated(keyed, current)
        contents = [one.decrypt(turn.keys) for one in turn.earlier]
        if turn.need.look is Look.THIRD:
            if not keeps_agreed(keyed, contents):
                raise NotYourLookError("agreed-changed")
            self._check_final(turn.paper, keyed)
            return await self._settle(uow, turn, contents, keyed)
        await self._insert(uow, turn, keyed)
        contents.append(keyed)
        if len(contents) < turn.need.required or open_fields(contents) != ():
            return current
        return await self._settle(uow, turn, contents, contents[0])

    async def _insert(self, uow: UnitOfWork, turn: "_Turn", keyed: KeyedContent) -> None:
        paper, order = turn.paper, len(turn.earlier)
        keying = StoredKeying.encrypt(
            turn.keys, paper.campaign, paper.paper_id, turn.keyer.person, order, turn.at, keyed
        )
        await self.keyings.insert(uow, keying)
        await self._audit.record([turn.audit_event()])

    async def _settle(
        self, uow: UnitOfWork, turn: "_Turn", contents: Sequence[KeyedContent], final: KeyedContent
    ) -> SettledPaper:
        paper, person = turn.paper, turn.keyer.person
        people = [*turn.need.keyed_by, person][: len(contents)]
        outcome = turn.need.outcome(turn.keyer)
        if outcome is not Outcome.ONCE:
            await self._counts.add(uow, paper.campaign, dict(zip(people, contents, strict=True)), final)
        await self.keyings.remove(uow, paper.paper_id)
        settlement = Settlement(final.decision, person, turn.at, outcome, final.forms, final.reason)
        return await self._settler.write(uow, turn.keys, paper, settlement)


@dataclass(frozen=True)
class _Turn:
    """One person's turn at one paper, within a transaction."""

    keys: CampaignKeys
    paper: StoredPaper
    keyer: Keyer
    at: datetime
    need: KeyingNeed
    earlier: Sequence[StoredKeying]

    def audit_event(self) -> AuditEvent:
        """Return the line of a first or second keying."""
        paper, subject = self.paper, self.keys.subject_of(self.paper.paper_id)
        action = f"key-paper:{self.need.look}"
        return AuditEvent(self.keyer.person, _ROLE, action, PURPOSE, paper.campaign, subject, "keyed")

    def repeated(self, keyed: KeyedContent, current: SettledPaper) -> SettledPaper:
        """Return the state where the person sends the own keying again. Raises NotYourLookError for another one."""
        own = [one.decrypt(self.keys) for one in self.earlier if one.by == self.keyer.person]
        if own == [keyed]:
            return current
        raise NotYourLookError("already-keyed" if own else "not-your-look")


def _repeated(keys: CampaignKeys, paper_id: PaperId, keyed: KeyedContent, current: SettledPaper) -> SettledPaper:
    """Return the settlement where the same one comes again. Raises AlreadySettledError for another one."""
    if current.digest != digest_of(keys, paper_id, keyed.decision, keyed.reason, keyed.forms):
        raise AlreadySettledError(current.state)
    return current
