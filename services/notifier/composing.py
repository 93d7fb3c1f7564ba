"""From notices to what is sent: mails for one or many, texts for cards."""

from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from services.notifier import ledger
from services.notifier.rules.texts import Mail, Texts, Told
from shared.campaign import Campaign
from shared.contracts import CardOrder, ClassPass, Contact, PlaceOffer
from shared.ids import CampaignId
from shared.storage import Store

Notice = Mapping[str, Any]


class Composing:
    def __init__(self, store: Store, texts: Texts, campaigns: Mapping[CampaignId, Campaign], domain: str) -> None:
        self._store, self._texts, self._campaigns, self._domain = store, texts, campaigns, domain

    def address(self, notice: Notice) -> str:
        return f"{notice['token']}@{self._domain}"

    async def mail(self, notices: Sequence[Notice]) -> bytes:
        """One message for these notices: several only where the text is the same for all (`regret`)."""
        campaign = self._campaigns[notices[0]["campaign"]]
        if notices[0]["kind"] == "regret":
            mail = self._texts.regret(campaign, again=_again(notices[0]))
            return _message(mail, campaign, to=campaign.office.mail_to)
        mail, passes = await self._single(campaign, notices[0])
        return _message(mail, campaign, to=self.address(notices[0]), passes=passes)

    async def _single(self, campaign: Campaign, notice: Notice) -> tuple[Mail, Sequence[ClassPass]]:
        contact = await self._contact(notice)
        if notice["kind"] == "rejected":
            return self._texts.rejected(campaign, contact.receipt, contact.reasons, contact.refused), ()
        if notice["kind"] == "offer":
            offer = await self._offer(notice)
            return self._texts.offer(campaign, contact.receipt, offer), _pass_of(offer)
        told, passes = await self._told(notice, contact)
        return self._texts.result(campaign, told), passes

    async def card(self, notice: Notice) -> CardOrder:
        campaign, contact = self._campaigns[notice["campaign"]], await self._contact(notice)
        pass_code: str | None = None
        passes: tuple[ClassPass, ...] = ()
        if notice["kind"] == "rejected":
            body = self._texts.rejected_card(campaign, contact.receipt, contact.reasons, contact.refused)
        elif notice["kind"] == "regret":
            body = self._texts.regret_card(campaign, contact.receipt, again=_again(notice))
        elif notice["kind"] == "offer":
            offer = await self._offer(notice)
            pass_code, passes = offer.pass_code, _pass_of(offer)
            body = self._texts.offer_card(campaign, contact.receipt, offer)
        else:
            told, passes = await self._told(notice, contact)
            pass_code, body = told.pass_code, self._texts.result_card(campaign, told)
        return CardOrder(notice_id=notice["_id"], token=notice["token"], body=body, pass_code=pass_code, passes=passes)

    async def _contact(self, notice: Notice) -> Contact:
        contact = await self._store.db[ledger.CONTACTS].find_one({"_id": notice["application_id"]})
        assert contact is not None  # noqa: S101  (a notice is made from its contact)
        return ledger.contact_of(contact)

    async def _told(self, notice: Notice, contact: Contact) -> tuple[Told, tuple[ClassPass, ...]]:
        result = await self._store.db[ledger.RESULTS].find_one({"_id": notice["application_id"]})
        assert result is not None  # noqa: S101  (a notice of a result is made from it)
        told = Told(contact.receipt, ledger.outcomes_of(result), result["pass_code"], _again(notice))
        return told, _passes(result)

    async def _offer(self, notice: Notice) -> PlaceOffer:
        name = f"{notice['application_id']}/{notice['occasion']}"
        offer = await self._store.db[ledger.OFFERS].find_one({"_id": name})
        assert offer is not None  # noqa: S101  (a notice of an offer is made from it)
        return ledger.offer_of(offer)


def _again(notice: Notice) -> bool:
    """Whether the result is of a draw that corrects an earlier one."""
    return ledger.number_of(notice["occasion"]) > 1


def _pass_of(offer: PlaceOffer) -> tuple[ClassPass, ...]:
    return () if offer.class_pass is None else (ClassPass(class_id=offer.class_id, code=offer.class_pass),)


def _passes(result: Mapping[str, Any]) -> tuple[ClassPass, ...]:
    return tuple(ClassPass.model_validate(each) for each in result.get("passes", ()))


def _message(mail: Mail, campaign: Campaign, *, to: str, passes: Sequence[ClassPass] = ()) -> bytes:
    """`passes` go as their text; the relay draws them (`docs/protocols.md` §3)."""
    message = EmailMessage(policy=SMTP)
    message["From"] = campaign.office.mail_from
    message["To"] = to
    message["Subject"] = mail.subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, charset="utf-8", cte="base64")
    for each in passes:
        event_class = campaign.event_class(each.class_id)
        assert event_class is not None  # noqa: S101  (the draw was over the campaign's own classes)
        number = {"number": str(event_class.number)}
        message.add_attachment(each.code.encode("ascii"), "application", "vnd.kuji.pass", params=number)
    return message.as_bytes()
