"""Compose the mail of one notice."""

from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.rules.notice import Notice
from services.notifier.rules.texts import MailText, ResultText, Texts, offer_passes
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import ClassPass
from shared.ids import CampaignId


class MailComposer:
    """Compose mails addressed to tokens; the vault's relay puts in name, address and QR codes."""

    def __init__(
        self,
        applicants: ApplicantRepository,
        texts: Texts,
        campaigns: Mapping[CampaignId, Campaign],
        domain: str,
        clock: Clock,
    ) -> None:
        self._applicants, self._texts, self._campaigns = applicants, texts, campaigns
        self._domain, self._clock = domain, clock

    async def compose(self, notice: Notice) -> bytes:
        """Return the message of this notice."""
        campaign = self._campaigns[notice.campaign]
        text, passes = await self._compose_text(campaign, notice)
        return _build_message(text, campaign, to=f"{notice.token}@{self._domain}", passes=passes)

    async def _compose_text(self, campaign: Campaign, notice: Notice) -> tuple[MailText, Sequence[ClassPass]]:
        contact = await self._applicants.load_contact(notice.application_id)
        if notice.kind == "rejected":
            return self._texts.rejected(campaign, contact, self._clock.now()), ()
        if notice.kind == "offer":
            offer = await self._applicants.load_offer(notice.application_id, notice.occasion)
            return self._texts.offer(campaign, contact.receipt, offer), offer_passes(offer)
        result = await self._applicants.load_result(notice.application_id)
        text = ResultText(contact.receipt, result.outcomes, result.pass_code, notice.is_redraw)
        return self._texts.result(campaign, text), result.passes


def _build_message(text: MailText, campaign: Campaign, *, to: str, passes: Sequence[ClassPass] = ()) -> bytes:
    """Return the message as bytes. A pass is attached as its code; the relay draws it (`docs/protocols.md` §3)."""
    message = EmailMessage(policy=SMTP)
    message["From"] = campaign.office.mail_from
    message["To"] = to
    message["Subject"] = text.subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.body, charset="utf-8", cte="base64")
    for class_pass in passes:
        event_class = campaign.event_class(class_pass.class_id)
        assert event_class is not None  # noqa: S101  (the draw was over the campaign's own classes)
        number = {"number": str(event_class.number)}
        message.add_attachment(class_pass.code.encode("ascii"), "application", "vnd.kuji.pass", params=number)
    return message.as_bytes()
