"""Texts of notices, from templates and without a person's name. Pure except for reading templates.

`{{kuji:name}}` stays in the text; the vault puts the name there. The text `regret` is the same for all applicants who
won nothing and wait for nothing. It names no class and no person, so one mail can go to many recipients (R-S4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from shared.campaign import Campaign
from shared.contracts import ClassPass, Contact, Outcome, PlaceOffer
from shared.dates import TOKYO, WEEKDAYS_JA

PLACEHOLDER: Final = "{{kuji:name}}"

_CIRCLED_NUMBERS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


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


@dataclass(frozen=True)
class ClassLine:
    """Values of one class in a text."""

    number: str
    title: str
    title_en: str
    outcome: str
    position: int | None
    seats: int
    when: str
    when_en: str
    venue: str
    venue_en: str
    reason: str
    reason_en: str


_REASONS = {
    "grade": ("学年が対象外です", "not for this school grade"),
    "age": ("年齢が対象外です", "not for this age"),
    "seats": ("申込人数が対象外です", "not for this number of people"),
    "not-resident": ("区内にお住まいの方が対象です", "open to residents of the ward only"),
    "guardian-missing": ("保護者氏名の記入がありません", "the guardian's name is missing"),
    "guardian-not-allowed": ("20歳以上の方は保護者氏名が不要です", "no guardian's name is needed from age 20"),
    "class-unknown": ("申込みのない教室が含まれています", "a class was named that does not exist"),
    "channel-email": ("メールアドレスは専用サイトからのみ受け付けます", "e-mail addresses are taken on the site only"),
    "duplicate": ("同じ方の別の申込みを受け付けています", "another application of the same person stands"),
}
_OTHER_REASON = ("申込みの条件を満たしていません", "the conditions are not met")


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
        """Return the mail with the outcome of every class."""
        return self._mail("result", "抽選結果のお知らせ", campaign, _result_values(campaign, result))

    def regret(self, campaign: Campaign, *, is_redraw: bool = False) -> MailText:
        """Return the mail to all applicants who won nothing and wait for nothing."""
        return self._mail("regret", "抽選結果のお知らせ", campaign, {"is_redraw": is_redraw})

    def offer(self, campaign: Campaign, receipt: str, offer: PlaceOffer) -> MailText:
        """Return the mail about a seat offered, won or waited for after the draw."""
        subject = "お申込みの訂正について" if offer.corrected else "空きが出ました"
        return self._mail("offer", subject, campaign, _offer_values(campaign, receipt, offer))

    def rejected(self, campaign: Campaign, contact: Contact) -> MailText:
        """Return the mail about a rejected application, with the reasons."""
        return self._mail("rejected", "お申込みについて", campaign, _rejection_values(campaign, contact))

    def result_card(self, campaign: Campaign, result: ResultText) -> str:
        """Return the card with the outcome of every class."""
        return self._render("result_card", campaign, _result_values(campaign, result))

    def regret_card(self, campaign: Campaign, receipt: str, *, is_redraw: bool = False) -> str:
        """Return the card to an applicant who won nothing and waits for nothing."""
        return self._render("regret_card", campaign, {"receipt": receipt, "is_redraw": is_redraw})

    def offer_card(self, campaign: Campaign, receipt: str, offer: PlaceOffer) -> str:
        """Return the card about a seat offered, won or waited for after the draw."""
        return self._render("offer_card", campaign, _offer_values(campaign, receipt, offer))

    def rejected_card(self, campaign: Campaign, contact: Contact) -> str:
        """Return the card about a rejected application, with the reasons."""
        return self._render("rejected_card", campaign, _rejection_values(campaign, contact))

    def _mail(self, template: str, subject: str, campaign: Campaign, values: Mapping[str, object]) -> MailText:
        return MailText(f"【{campaign.title.ja}】{subject}", self._render(template, campaign, values))

    def _render(self, template: str, campaign: Campaign, values: Mapping[str, object]) -> str:
        text = self._templates.get_template(f"{template}.txt").render(c=campaign, name=PLACEHOLDER, **values)
        return text.strip() + "\n"


def is_regret(outcomes: Sequence[Outcome]) -> bool:
    """Return True if the applicant won nothing and waits for nothing."""
    return all(outcome.outcome in {"lost", "refused"} for outcome in outcomes)


def offer_passes(offer: PlaceOffer) -> tuple[ClassPass, ...]:
    """Return the pass of the class offered, if the offer has one."""
    return () if offer.class_pass is None else (ClassPass(class_id=offer.class_id, code=offer.class_pass),)


def _result_values(campaign: Campaign, result: ResultText) -> Mapping[str, object]:
    return {
        "receipt": result.receipt,
        "lines": [_class_line(campaign, outcome) for outcome in result.outcomes],
        "pass_code": result.pass_code,
        "won": any(outcome.outcome == "won" for outcome in result.outcomes),
        "is_redraw": result.is_redraw,
    }


def _offer_values(campaign: Campaign, receipt: str, offer: PlaceOffer) -> Mapping[str, object]:
    kind = "waiting" if offer.state == "waiting" else "won"
    outcome = Outcome(class_id=offer.class_id, outcome=kind, seats=offer.seats, position=offer.position)
    return {
        "receipt": receipt,
        "line": _class_line(campaign, outcome),
        "state": offer.state,
        "corrected": offer.corrected,
        "pass_code": offer.pass_code,
        "answer_by": offer.answer_by and _format_time(offer.answer_by),
        "answer_by_en": offer.answer_by and f"{offer.answer_by.astimezone(TOKYO):%a %d %b %Y, %H:%M}",
    }


def _rejection_values(campaign: Campaign, contact: Contact) -> Mapping[str, object]:
    refused = [
        Outcome(class_id=refusal.class_id, outcome="refused", seats=1, reason=refusal.reason)
        for refusal in contact.refused
    ]
    return {
        "receipt": contact.receipt,
        "reasons": [_REASONS.get(reason, _OTHER_REASON) for reason in contact.reasons],
        "lines": [_class_line(campaign, outcome) for outcome in refused],
    }


def _class_line(campaign: Campaign, outcome: Outcome) -> ClassLine:
    """Return the line of a class. A class that left the campaign file is named by its id."""
    event_class = campaign.event_class(outcome.class_id)
    reason, reason_en = _REASONS.get(outcome.reason or "", _OTHER_REASON)
    if event_class is None:
        name = outcome.class_id
        return ClassLine("", name, name, outcome.outcome, None, 1, "", "", "", "", reason, reason_en)
    return ClassLine(
        number=_format_number(event_class.number),
        title=event_class.title.ja,
        title_en=event_class.title.en,
        outcome=outcome.outcome,
        position=outcome.position,
        seats=outcome.seats,
        when=f"{_format_time(event_class.starts)}～{event_class.ends.astimezone(TOKYO):%H:%M}",
        when_en=_format_period_en(event_class.starts, event_class.ends),
        venue=event_class.place.ja,
        venue_en=event_class.place.en,
        reason=reason,
        reason_en=reason_en,
    )


def _format_number(number: int) -> str:
    return _CIRCLED_NUMBERS[number - 1] if number <= len(_CIRCLED_NUMBERS) else f"{number}."


def _format_time(at: datetime) -> str:
    """Return date with weekday and time, in Tokyo."""
    local = at.astimezone(TOKYO)
    return f"{local.year}年{local.month}月{local.day}日（{WEEKDAYS_JA[local.weekday()]}）{local:%H:%M}"


def _format_period_en(starts: datetime, ends: datetime) -> str:
    return f"{starts.astimezone(TOKYO):%a %d %b %Y, %H:%M}-{ends.astimezone(TOKYO):%H:%M}"
