"""Compose the card of a notice that goes by post."""

from collections.abc import Mapping

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.rules.notice import Notice
from services.notifier.rules.texts import ResultText, Texts, offer_passes
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import CardOrder, ClassPass, Contact
from shared.ids import CampaignId

_CardContent = tuple[str, str | None, tuple[ClassPass, ...]]


class CardComposer:
    """Compose cards addressed to tokens; the vault's print room puts in name and address."""

    def __init__(
        self, applicants: ApplicantRepository, texts: Texts, campaigns: Mapping[CampaignId, Campaign], clock: Clock
    ) -> None:
        self._applicants, self._texts, self._campaigns, self._clock = applicants, texts, campaigns, clock

    async def compose(self, notice: Notice) -> CardOrder:
        """Return the order of this notice's card."""
        contact = await self._applicants.load_contact(notice.application_id)
        body, pass_code, passes = await self._compose_content(self._campaigns[notice.campaign], notice, contact)
        return CardOrder(notice_id=notice.id, token=notice.token, body=body, pass_code=pass_code, passes=passes)

    async def _compose_content(self, campaign: Campaign, notice: Notice, contact: Contact) -> _CardContent:
        if notice.kind == "rejected":
            return self._texts.rejected_card(campaign, contact, self._clock.now()), None, ()
        if notice.kind == "offer":
            offer = await self._applicants.load_offer(notice.application_id, notice.occasion)
            body = self._texts.offer_card(campaign, contact.receipt, offer)
            return body, offer.pass_code, offer_passes(offer)
        result = await self._applicants.load_result(notice.application_id)
        text = ResultText(contact.receipt, result.outcomes, result.pass_code, notice.is_redraw)
        return self._texts.result_card(campaign, text), result.pass_code, result.passes
