"""List, open and decide doubts for a handler. A list holds no person; opening one is an audit line for each (R-C7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Final

from services.vault.applications.duplicates import DuplicateOrder
from services.vault.applications.matching import COPY
from services.vault.applications.originals import order_of
from services.vault.applications.pair_repository import PairRepository
from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.review import ReviewDecision, ReviewQueue, UnknownPairError
from services.vault.applications.rules.pairs import Pair, PairDecision, PairVerdict
from services.vault.applications.stored import StoredApplication
from services.vault.doubts.rules.comparison import ComparedRow, side_by_side
from services.vault.identities.person import Person
from services.vault.identities.reveal import Identities
from services.vault.people.rules.account import Account
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import ApplicationId, CampaignId
from shared.postal_codes import PostalCode, PostalCodes
from shared.storage import Store

PURPOSE: Final = "desk"
"""Purpose of the campaign file that allows opening people at the desk."""

_PER: Final = 1000
_LONGEST_S: Final = 3600
"""A pair that was open for longer was left open, and says nothing about the work."""


@dataclass(frozen=True)
class ListedPair:
    """Doubt as the list shows it: two applications, the earlier first, and levels in words; nothing of a person."""

    pair: Pair
    first: StoredApplication
    second: StoredApplication


@dataclass(frozen=True)
class Burden:
    """Work that doubts make: pairs for 1,000 applications, and minutes for one (median), None before any."""

    per_thousand: float
    minutes: float | None


@dataclass(frozen=True)
class DoubtList:
    """All doubts of a campaign. `addresses`: applications whose address the postal table contradicts."""

    campaign: Campaign
    waiting: Sequence[ListedPair]
    decided: Sequence[ListedPair]
    addresses: Sequence[StoredApplication]
    burden: Burden
    may_undo: bool


@dataclass(frozen=True)
class OpenedPair:
    """Doubt with both people side by side."""

    listed: ListedPair
    rows: Sequence[ComparedRow] = field(repr=False)
    opened_at: datetime


@dataclass(frozen=True)
class OpenedAddress:
    """Application with a doubtful address, and what the postal table says about its code."""

    application: StoredApplication
    person: Person = field(repr=False)
    postal: PostalCode


class DoubtDesk:
    """Doubts of all campaigns, for a handler."""

    def __init__(
        self,
        store: Store,
        queue: ReviewQueue,
        identities: Identities,
        campaigns: Mapping[CampaignId, Campaign],
        clock: Clock,
    ) -> None:
        self._applications, self._pairs = ApplicationRepository(store), PairRepository(store)
        self._queue, self._identities, self._clock = queue, identities, clock
        self._campaigns, self._postal = campaigns, PostalCodes()

    async def listed(self, campaign: Campaign) -> DoubtList:
        """Return the doubts of a campaign; nothing is opened."""
        pairs = await self._pairs.all(campaign.id)
        contents = {content for pair in pairs for content in pair.contents}
        rows = await self._applications.of_contents(campaign.id, contents)
        order = DuplicateOrder(rows, pairs)
        originals = {one.keys[COPY]: one for one in sorted(rows, key=order_of, reverse=True) if one.is_applying}
        open_pairs = {pair.contents for pair in order.open_pairs()}
        known = [_listed(pair, originals) for pair in pairs if pair.contents <= originals.keys()]
        held = [one.application for one in await self._queue.held(campaign.id)]
        return DoubtList(
            campaign,
            [one for one in known if one.pair.contents in open_pairs],
            [one for one in known if one.pair.decision is not None],
            [one for one in held if one.has_open_doubt],
            await self._burden(campaign.id, pairs),
            self.may_undo(campaign),
        )

    def may_undo(self, campaign: Campaign) -> bool:
        """Return True until the list is due to be frozen."""
        return self._clock.now() < campaign.draw.at

    async def open_pair(
        self, account: Account, campaign: CampaignId, one: ApplicationId, other: ApplicationId
    ) -> OpenedPair | None:
        """Return a doubt with both people, after an audit line for each; None if there is no such doubt."""
        listed = await self._find(campaign, one, other)
        if listed is None or listed.first.token is None or listed.second.token is None:
            return None
        tokens = [listed.first.token, listed.second.token]
        people = await self._identities.reveal(
            tokens, purpose=PURPOSE, actor=account.id, case="open-doubt", role=role_of(account)
        )
        if len(people) < len(tokens):
            return None
        first, second = (people[token].person for token in tokens)
        return OpenedPair(listed, side_by_side(first, second, listed.pair.levels), datetime.now(UTC))

    async def open_address(
        self, account: Account, campaign: CampaignId, application_id: ApplicationId
    ) -> OpenedAddress | None:
        """Return an application with a doubtful address, after its audit line; None if it has no such doubt."""
        row = await self._applications.find(application_id)
        if row is None or row.campaign != campaign or not row.has_open_doubt or row.token is None:
            return None
        opened = await self._identities.reveal(
            [row.token], purpose=PURPOSE, actor=account.id, case="open-address", role=role_of(account)
        )
        if row.token not in opened:
            return None
        person = opened[row.token].person
        return OpenedAddress(row, person, self._postal.find(person.postal_code))

    async def decide(
        self,
        account: Account,
        campaign: CampaignId,
        ids: tuple[ApplicationId, ApplicationId],
        choice: "PairChoice",
    ) -> None:
        """Decide a doubt. Raises UnknownPairError, AlreadyDecidedError."""
        listed = await self._find(campaign, *ids)
        if listed is None:
            raise UnknownPairError("these two applications are no doubt")
        chosen = {"first": listed.first, "second": listed.second}.get(choice.stands or "")
        now = datetime.now(UTC)
        seconds = None if choice.opened_at is None else (now - choice.opened_at).total_seconds()
        decision = PairDecision(
            choice.verdict,
            None if chosen is None else chosen.keys[COPY],
            choice.reason,
            account.id,
            self._clock.now(),
            seconds if seconds is not None and 0 <= seconds <= _LONGEST_S else None,
        )
        await self._queue.decide_pair(campaign, *ids, decision)

    async def undo(self, account: Account, campaign: Campaign, ids: tuple[ApplicationId, ApplicationId]) -> bool:
        """Take a decision back; return False once the freeze is due.

        Raises UnknownPairError, AlreadyDecidedError.
        """
        if not self.may_undo(campaign):
            return False
        await self._queue.undo_pair(campaign.id, *ids, account.id)
        return True

    async def decide_address(self, account: Account, campaign: CampaignId, one: ApplicationId, decision: str) -> None:
        """Decide a doubtful address; `decision` is `accept:reason` or `reject:reason`. Raises NotHeldError."""
        kind, _, reason = decision.partition(":")
        await self._queue.decide(
            campaign, one, ReviewDecision("accept" if kind == "accept" else "reject", reason, account.id)
        )

    async def _find(self, campaign: CampaignId, one: ApplicationId, other: ApplicationId) -> ListedPair | None:
        rows = {row.application_id: row for row in await self._applications.of_ids([one, other])}
        if len(rows) != len({one, other}) or any(row.campaign != campaign for row in rows.values()):
            return None
        contents = frozenset(row.keys.get(COPY, "") for row in rows.values())
        pair = next((pair for pair in await self._pairs.all(campaign) if pair.contents == contents), None)
        return None if pair is None else _listed(pair, {row.keys[COPY]: row for row in rows.values()})

    async def _burden(self, campaign: CampaignId, pairs: Sequence[Pair]) -> Burden:
        total = sum((await self._applications.summary(campaign)).applications.values())
        seconds = [one.decision.seconds for one in pairs if one.decision and one.decision.seconds is not None]
        return Burden(_PER * len(pairs) / max(1, total), median(seconds) / 60 if seconds else None)


@dataclass(frozen=True)
class PairChoice:
    """Choice of a handler on the page. `stands`: `first` or `second` for one person."""

    verdict: PairVerdict
    stands: str | None
    reason: str
    opened_at: datetime | None


def role_of(account: Account) -> str:
    """Return the roles as audit lines name them."""
    return "+".join(sorted(account.roles))


def _listed(pair: Pair, originals: Mapping[str, StoredApplication]) -> ListedPair:
    first, second = sorted((originals[content] for content in pair.contents), key=order_of)
    return ListedPair(pair, first, second)
