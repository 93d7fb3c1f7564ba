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
from shared.contracts import Outcome, Refusal

PLACEHOLDER = "{{kuji:name}}"
Kind = Literal["rejected", "result", "regret"]

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

    def result(self, campaign: Campaign, receipt: str, outcomes: Sequence[Outcome], pass_code: str | None) -> Mail:
        lines = [_line(campaign, outcome) for outcome in outcomes]
        return self._mail("result", "抽選結果のお知らせ", campaign, receipt=receipt, lines=lines, pass_code=pass_code)

    def regret(self, campaign: Campaign) -> Mail:
        return self._mail("regret", "抽選結果のお知らせ", campaign)

    def rejected(self, campaign: Campaign, receipt: str, reasons: Sequence[str], refused: Sequence[Refusal]) -> Mail:
        return self._mail("rejected", "お申込みについて", campaign, **_refusal(campaign, receipt, reasons, refused))

    def result_card(self, campaign: Campaign, receipt: str, outcomes: Sequence[Outcome], pass_code: str | None) -> str:
        lines = [_line(campaign, outcome) for outcome in outcomes]
        return self._render("result_card", campaign, receipt=receipt, lines=lines, pass_code=pass_code)

    def regret_card(self, campaign: Campaign, receipt: str) -> str:
        return self._render("regret_card", campaign, receipt=receipt)

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
    begin, end = starts.astimezone(_TOKYO), ends.astimezone(_TOKYO)
    return f"{begin.year}年{begin.month}月{begin.day}日（{_WEEKDAYS[begin.weekday()]}）{begin:%H:%M}～{end:%H:%M}"


def _when_en(starts: datetime, ends: datetime) -> str:
    return f"{starts.astimezone(_TOKYO):%a %d %b %Y, %H:%M}-{ends.astimezone(_TOKYO):%H:%M}"
