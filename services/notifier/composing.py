"""From notices to what is sent: mails for one or many, texts for cards."""

from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from services.notifier import ledger
from services.notifier.texts import Mail, Texts
from shared.campaign import Campaign
from shared.contracts import CardOrder, ClassPass
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
            return _message(self._texts.regret(campaign), campaign, to=campaign.office.mail_to)
        mail, passes = await self._single(campaign, notices[0])
        return _message(mail, campaign, to=self.address(notices[0]), passes=passes)

    async def _single(self, campaign: Campaign, notice: Notice) -> tuple[Mail, Sequence[ClassPass]]:
        contact, result = await self._facts(notice)
        if notice["kind"] == "rejected":
            return self._texts.rejected(campaign, contact.receipt, contact.reasons, contact.refused), ()
        code, outcomes = _shown_at_reception(result), ledger.outcomes_of(result)
        return self._texts.result(campaign, contact.receipt, outcomes, code), _passes(result)

    async def card(self, notice: Notice) -> CardOrder:
        campaign = self._campaigns[notice["campaign"]]
        contact, result = await self._facts(notice)
        pass_code: str | None = None
        passes: tuple[ClassPass, ...] = ()
        if notice["kind"] == "rejected":
            body = self._texts.rejected_card(campaign, contact.receipt, contact.reasons, contact.refused)
        elif notice["kind"] == "regret":
            body = self._texts.regret_card(campaign, contact.receipt)
        else:
            pass_code, passes = _shown_at_reception(result), _passes(result)
            body = self._texts.result_card(campaign, contact.receipt, ledger.outcomes_of(result), pass_code)
        return CardOrder(notice_id=notice["_id"], token=notice["token"], body=body, pass_code=pass_code, passes=passes)

    async def _facts(self, notice: Notice) -> tuple[Any, dict[str, Any]]:
        contact = await self._store.db[ledger.CONTACTS].find_one({"_id": notice["application_id"]})
        result = await self._store.db[ledger.RESULTS].find_one({"_id": notice["application_id"]})
        assert contact is not None  # noqa: S101  (a notice is made from its contact)
        return ledger.contact_of(contact), result or {"outcomes": [], "pass_code": None}


def _shown_at_reception(result: Mapping[str, Any]) -> str | None:
    """The pass code, for those who hold a place; others have it too, and have nothing to show it for yet."""
    holds = any(outcome.outcome == "won" for outcome in ledger.outcomes_of(dict(result)))
    return result["pass_code"] if holds else None


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
