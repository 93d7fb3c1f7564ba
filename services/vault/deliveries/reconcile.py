"""Count what left the vault against what must leave it: the lottery tells the vault of each slip by itself."""

from dataclasses import replace
from typing import Final

from services.vault.applications.repository import ApplicationRepository
from services.vault.deliveries.left_out_repository import LeftOutKind, LeftOutRepository
from services.vault.deliveries.published_draws_repository import PublishedDrawRepository
from services.vault.deliveries.repository import DeliveryRepository
from services.vault.deliveries.rules.reconciliation import IssuedNumbers, Missing, Reconciliation, reconcile
from services.vault.deliveries.slips_repository import SlipRepository
from services.vault.notices.rules.kinds import KINDS
from shared.contracts import NoticesCounted
from shared.ids import CampaignId, Receipt, Token
from shared.storage import Store

_SLIP_KINDS: Final = tuple(kind for kind, known in KINDS.items() if known.source == "slip")

_LEFT_OUT: Final[tuple[LeftOutKind, ...]] = ("same-person", "undecided")


class NoticeCounter:
    """Count the notices of a campaign, from the vault's own records."""

    def __init__(self, store: Store) -> None:
        self._applications, self._deliveries = ApplicationRepository(store), DeliveryRepository(store)
        self._slips, self._left_out = SlipRepository(store), LeftOutRepository(store)
        self._draws = PublishedDrawRepository(store)

    async def count(self, campaign: CampaignId) -> Reconciliation:
        """Return the counts, and the applicants whose notice did not leave the vault."""
        slips = await self._slips.all(campaign)
        with_slip = {slip.token for slip in slips if slip.issued}
        rejected = await self._applications.rejected_tokens(campaign) - with_slip
        left_out = await self._left_out.of_campaign(campaign)
        newest = {slip.token: slip.newest for slip in slips}
        stand = {token: one for token, one in left_out.items() if newest.get(token, -1) < one.n}
        counted = reconcile(
            (IssuedNumbers(slip.token, slip.issued) for slip in slips),
            await self._deliveries.delivered(campaign, _SLIP_KINDS),
            rejected,
            {token for token, _ in await self._deliveries.delivered(campaign, ["rejected"])},
            replaced=stand.keys(),
        )
        of_kind = {kind: {token for token, one in left_out.items() if one.kind == kind} for kind in _LEFT_OUT}
        of_kind["undecided"] &= stand.keys()
        reached = {kind: of_kind[kind] & await self._reached(campaign, kind) for kind in _LEFT_OUT}
        calls = await self._deliveries.superseded(campaign, "undecided")  # the notifier makes calls of these cards
        by_post = {token for token in of_kind["undecided"] if left_out[token].contact == "post" and token not in calls}
        by_post |= reached["undecided"]
        late = [Missing(token, None) for token in sorted(by_post - reached["undecided"])]
        return replace(
            counted,
            missing=(*counted.missing, *late),
            same_person=len(of_kind["same-person"]),
            same_person_delivered=len(reached["same-person"]),
            undecided=len(of_kind["undecided"]),
            undecided_delivered=len(reached["undecided"]),
            undecided_by_telephone=len(of_kind["undecided"] - by_post),
        )

    async def _reached(self, campaign: CampaignId, kind: str) -> set[Token]:
        return {token for token, _ in await self._deliveries.delivered(campaign, [kind])}

    async def receipts(self, counted: Reconciliation) -> dict[Token, Receipt]:
        """Return the receipt numbers of the applicants whose notice is missing."""
        found = await self._applications.by_tokens([missed.token for missed in counted.missing])
        return {token: application.receipt for token, application in found.items()}

    async def drawn(self, campaign: CampaignId) -> tuple[int, int] | None:
        """Return the entries of the draw published last and how many of their slips arrived; None if not known.

        Slips of people who were erased since are among them.
        """
        draw = await self._draws.find(campaign)
        if draw is None:
            return None
        return draw.entries, await self._slips.count(campaign, draw.n) + draw.erased

    async def deliveries(self, campaign: CampaignId) -> dict[str, dict[str, int]]:
        """Return the number of deliveries by channel and state."""
        return await self._deliveries.counts(campaign)

    async def notifier_counts(self, campaign: CampaignId) -> NoticesCounted | None:
        """Return what the notifier counts itself; None before it said so."""
        return await self._slips.counts(campaign)
