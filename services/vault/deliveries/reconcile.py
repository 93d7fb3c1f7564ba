"""Count what left the vault against what must leave it: the lottery tells the vault of each slip by itself."""

from typing import Final

from services.vault.applications.repository import ApplicationRepository
from services.vault.deliveries.repository import DeliveryRepository
from services.vault.deliveries.rules.reconciliation import IssuedNumbers, Reconciliation, reconcile
from services.vault.deliveries.slips_repository import SlipRepository
from services.vault.notices.rules.kinds import KINDS
from shared.contracts import NoticesCounted
from shared.ids import CampaignId, Receipt, Token
from shared.storage import Store

_SLIP_KINDS: Final = tuple(kind for kind, known in KINDS.items() if known.source == "slip")


class NoticeCounter:
    """Count the notices of a campaign, from the vault's own records."""

    def __init__(self, store: Store) -> None:
        self._applications, self._deliveries = ApplicationRepository(store), DeliveryRepository(store)
        self._slips = SlipRepository(store)

    async def count(self, campaign: CampaignId) -> Reconciliation:
        """Return the counts, and the applicants whose notice did not leave the vault."""
        slips = await self._slips.all(campaign)
        rejected = await self._applications.rejected_tokens(campaign) - {slip.token for slip in slips if slip.issued}
        return reconcile(
            (IssuedNumbers(slip.token, slip.issued) for slip in slips),
            await self._deliveries.delivered(campaign, _SLIP_KINDS),
            rejected,
            {token for token, _ in await self._deliveries.delivered(campaign, ["rejected"])},
        )

    async def receipts(self, counted: Reconciliation) -> dict[Token, Receipt]:
        """Return the receipt numbers of the applicants whose notice is missing."""
        found = await self._applications.by_tokens([missed.token for missed in counted.missing])
        return {token: application.receipt for token, application in found.items()}

    async def deliveries(self, campaign: CampaignId) -> dict[str, dict[str, int]]:
        """Return the number of deliveries by channel and state."""
        return await self._deliveries.counts(campaign)

    async def notifier_counts(self, campaign: CampaignId) -> NoticesCounted | None:
        """Return what the notifier counts itself; None before it said so."""
        return await self._slips.counts(campaign)
