"""Texts of notices, from templates and without a person's name. Pure except for reading templates.

Each text is about one application and names its receipt number (the vault prints it on cards). `{{kuji:name}}` stays
in the text; the vault puts the name there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.notifier.rules.class_lines import class_lines, format_time, format_time_en
from services.notifier.rules.reasons import Bilingual, advise, reason_text
from shared.campaign import Campaign
from shared.contracts import ClassPass, Contact, Outcome, PlaceOffer

PLACEHOLDER: Final = "{{kuji:name}}"


@dataclass(frozen=True)
class MailText:
    """Subject and body of one mail."""

    subject: str
    body: str


@dataclass(frozen=True)
class ResultText:
    """Values of one application's result.

    `pass_code`: set if the applicant won or waits; `is_redraw`: the draw corrects an earlier one.
    """

    receipt: str
    outcomes: Sequence[Outcome]
    pass_code: str | None
    is_redraw: bool = False


class Texts:
    """Render the templates of the folder `templates`."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("services.notifier"),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701  (plain text, and no value is typed by an applicant)
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def result(self, campaign: Campaign, result: ResultText) -> MailText:
        """Return the mail with the outcome of every class and the reason for it."""
        return self._mail("result", "抽選結果のお知らせ", result.receipt, campaign, _result_values(campaign, result))

    def offer(self, campaign: Campaign, receipt: str, offer: PlaceOffer) -> MailText:
        """Return the mail about a seat offered, won or waited for after the draw."""
        subject = "申込みの訂正について" if offer.corrected else "空きが出ました"
        return self._mail("offer", subject, receipt, campaign, _offer_values(campaign, receipt, offer))

    def rejected(self, campaign: Campaign, contact: Contact, now: datetime) -> MailText:
        """Return the mail about a rejected application: the reasons, what still counts, and what to do."""
        values = _rejection_values(campaign, contact, now)
        return self._mail("rejected", "申込みについて", contact.receipt, campaign, values)

    def result_card(self, campaign: Campaign, result: ResultText) -> str:
        """Return the card with the outcome of every class and the reason for it."""
        return self._render("result_card", campaign, _result_values(campaign, result))

    def offer_card(self, campaign: Campaign, receipt: str, offer: PlaceOffer) -> str:
        """Return the card about a seat offered, won or waited for after the draw."""
        return self._render("offer_card", campaign, _offer_values(campaign, receipt, offer))

    def rejected_card(self, campaign: Campaign, contact: Contact, now: datetime) -> str:
        """Return the card about a rejected application: the reasons, what still counts, and what to do."""
        return self._render("rejected_card", campaign, _rejection_values(campaign, contact, now))

    def _mail(
        self, template: str, subject: str, receipt: str, campaign: Campaign, values: Mapping[str, object]
    ) -> MailText:
        """Return the mail. The subject names the receipt number too: families read several notices in one mailbox."""
        subject = f"【{campaign.title.ja}】{subject}（受付番号 {receipt}）"
        return MailText(subject, self._render(template, campaign, values))

    def _render(self, template: str, campaign: Campaign, values: Mapping[str, object]) -> str:
        text = self._templates.get_template(f"{template}.txt").render(c=campaign, name=PLACEHOLDER, **values)
        return text.strip() + "\n"


def offer_passes(offer: PlaceOffer) -> tuple[ClassPass, ...]:
    """Return the pass of the class offered, if the offer has one."""
    return () if offer.class_pass is None else (ClassPass(class_id=offer.class_id, code=offer.class_pass),)


def _result_values(campaign: Campaign, result: ResultText) -> Mapping[str, object]:
    words = {outcome.outcome for outcome in result.outcomes}
    return {
        "receipt": result.receipt,
        "lines": class_lines(campaign, result.outcomes),
        "pass_code": result.pass_code,
        "won": "won" in words,
        "hopeful": bool(words & {"won", "waiting"}),
        "is_redraw": result.is_redraw,
    }


def _offer_values(campaign: Campaign, receipt: str, offer: PlaceOffer) -> Mapping[str, object]:
    word = "waiting" if offer.state == "waiting" else "won"
    outcome = Outcome(class_id=offer.class_id, outcome=word, seats=offer.seats, position=offer.position)
    return {
        "receipt": receipt,
        "line": class_lines(campaign, [outcome])[0],
        "state": offer.state,
        "won": word == "won",
        "corrected": offer.corrected,
        "pass_code": offer.pass_code,
        "answer_by": offer.answer_by and format_time(offer.answer_by),
        "answer_by_en": offer.answer_by and format_time_en(offer.answer_by),
    }


def _rejection_values(campaign: Campaign, contact: Contact, now: datetime) -> Mapping[str, object]:
    """Return the values of a rejection. Classes say their reason themselves, so it is not listed twice."""
    refused = [
        Outcome(class_id=refusal.class_id, outcome="refused", seats=1, reason=refusal.reason)
        for refusal in contact.refused
    ]
    of_classes = {refusal.reason for refusal in contact.refused}
    closes = campaign.window.closes
    until = Bilingual(format_time(closes), format_time_en(closes)) if now < closes else None
    return {
        "receipt": contact.receipt,
        "reasons": [reason_text(code) for code in contact.reasons if code not in of_classes],
        "lines": class_lines(campaign, refused),
        "advice": advise(contact.reasons, until),
    }
