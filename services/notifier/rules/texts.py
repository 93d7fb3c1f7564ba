"""The texts of notices: what is said to whom, from templates, without anybody's name. Pure but for reading templates.

`{{kuji:name}}` stays in the text; the vault puts the name there. The text to those who won nothing and wait for
nothing is the same for all, names no class and no person, and so can go to many at once (R-S4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from shared.campaign import Campaign
from shared.contracts import Outcome, PlaceOffer, Refusal

PLACEHOLDER = "{{kuji:name}}"
Kind = Literal["rejected", "result", "regret", "offer"]

_TOKYO = ZoneInfo("Asia/Tokyo")
_WEEKDAYS = "月火水木金土日"
_MARKS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


@dataclass(frozen=True)
class Mail:
    subject: str
    body: str


@dataclass(frozen=True)
class Line:
    """One class in a notice."""

    number: str
    title: str
    title_en: str
    outcome: str
    position: int | None
    seats: int
    when: str
    when_en: str
    place: str
    place_en: str
    reason: str
    reason_en: str


@dataclass(frozen=True)
class Told:
    """One person's result. `pass_code`: for who holds a place or waits; `again`: an earlier draw was corrected."""

    receipt: str
    outcomes: Sequence[Outcome]
    pass_code: str | None
    again: bool = False


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
_OTHER = ("申込みの条件を満たしていません", "the conditions are not met")


class Texts:
    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("services.notifier"),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701  (plain text, and no value comes from outside)
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def result(self, campaign: Campaign, told: Told) -> Mail:
        return self._mail("result", "抽選結果のお知らせ", campaign, **_result(campaign, told))

    def regret(self, campaign: Campaign, *, again: bool = False) -> Mail:
        return self._mail("regret", "抽選結果のお知らせ", campaign, again=again)

    def offer(self, campaign: Campaign, receipt: str, offer: PlaceOffer) -> Mail:
        subject = "お申込みの訂正について" if offer.corrected else "空きが出ました"
        return self._mail("offer", subject, campaign, **_offer(campaign, receipt, offer))

    def rejected(self, campaign: Campaign, receipt: str, reasons: Sequence[str], refused: Sequence[Refusal]) -> Mail:
        return self._mail("rejected", "お申込みについて", campaign, **_refusal(campaign, receipt, reasons, refused))

    def result_card(self, campaign: Campaign, told: Told) -> str:
        return self._render("result_card", campaign, **_result(campaign, told))

    def regret_card(self, campaign: Campaign, receipt: str, *, again: bool = False) -> str:
        return self._render("regret_card", campaign, receipt=receipt, again=again)

    def offer_card(self, campaign: Campaign, receipt: str, offer: PlaceOffer) -> str:
        return self._render("offer_card", campaign, **_offer(campaign, receipt, offer))

    def rejected_card(
        self, campaign: Campaign, receipt: str, reasons: Sequence[str], refused: Sequence[Refusal]
    ) -> str:
        return self._render("rejected_card", campaign, **_refusal(campaign, receipt, reasons, refused))

    def _mail(self, template: str, subject: str, campaign: Campaign, **values: Any) -> Mail:
        return Mail(f"【{campaign.title.ja}】{subject}", self._render(template, campaign, **values))

    def _render(self, template: str, campaign: Campaign, **values: Any) -> str:
        text = self._templates.get_template(f"{template}.txt").render(c=campaign, name=PLACEHOLDER, **values)
        return text.strip() + "\n"


def is_regret(outcomes: Sequence[Outcome]) -> bool:
    """Won nothing and waits for nothing."""
    return all(outcome.outcome in {"lost", "refused"} for outcome in outcomes)


def _result(campaign: Campaign, told: Told) -> dict[str, Any]:
    return {
        "receipt": told.receipt,
        "lines": [_line(campaign, outcome) for outcome in told.outcomes],
        "pass_code": told.pass_code,
        "won": any(outcome.outcome == "won" for outcome in told.outcomes),
        "again": told.again,
    }


def _offer(campaign: Campaign, receipt: str, offer: PlaceOffer) -> dict[str, Any]:
    outcome = "waiting" if offer.state == "waiting" else "won"
    place = Outcome(class_id=offer.class_id, outcome=outcome, seats=offer.seats, position=offer.position)
    return {
        "receipt": receipt,
        "line": _line(campaign, place),
        "state": offer.state,
        "corrected": offer.corrected,
        "pass_code": offer.pass_code,
        "answer_by": offer.answer_by and _moment(offer.answer_by),
        "answer_by_en": offer.answer_by and f"{offer.answer_by.astimezone(_TOKYO):%a %d %b %Y, %H:%M}",
    }


def _refusal(campaign: Campaign, receipt: str, reasons: Sequence[str], refused: Sequence[Refusal]) -> dict[str, Any]:
    named = [Outcome(class_id=each.class_id, outcome="refused", seats=1, reason=each.reason) for each in refused]
    return {
        "receipt": receipt,
        "reasons": [_REASONS.get(reason, _OTHER) for reason in reasons],
        "lines": [_line(campaign, outcome) for outcome in named],
    }


def _line(campaign: Campaign, outcome: Outcome) -> Line:
    event_class = campaign.event_class(outcome.class_id)
    reason, reason_en = _REASONS.get(outcome.reason or "", _OTHER)
    if event_class is None:
        return Line("", outcome.class_id, outcome.class_id, outcome.outcome, None, 1, "", "", "", "", reason, reason_en)
    return Line(
        number=_MARKS[event_class.number - 1] if event_class.number <= len(_MARKS) else f"{event_class.number}.",
        title=event_class.title.ja,
        title_en=event_class.title.en,
        outcome=outcome.outcome,
        position=outcome.position,
        seats=outcome.seats,
        when=_when(event_class.starts, event_class.ends),
        when_en=_when_en(event_class.starts, event_class.ends),
        place=event_class.place.ja,
        place_en=event_class.place.en,
        reason=reason,
        reason_en=reason_en,
    )


def _when(starts: datetime, ends: datetime) -> str:
    """西暦 and weekday, in Tokyo."""
    return f"{_moment(starts)}～{ends.astimezone(_TOKYO):%H:%M}"


def _moment(at: datetime) -> str:
    local = at.astimezone(_TOKYO)
    return f"{local.year}年{local.month}月{local.day}日（{_WEEKDAYS[local.weekday()]}）{local:%H:%M}"


def _when_en(starts: datetime, ends: datetime) -> str:
    return f"{starts.astimezone(_TOKYO):%a %d %b %Y, %H:%M}-{ends.astimezone(_TOKYO):%H:%M}"
