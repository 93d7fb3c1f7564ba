"""Values of one class in a text: the outcome, the reason for it, time and venue, in both languages. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.notifier.rules.reasons import Bilingual, reason_text
from shared.campaign import Campaign, EventClass
from shared.contracts import Outcome
from shared.dates import TOKYO, WEEKDAYS_JA

_CIRCLED_NUMBERS: Final = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"

_LOST: Final = Bilingual("落選", "not drawn")
_NOT_GIVEN: Final = Bilingual("見送り", "not given")
_NO_SEATS_LEFT: Final = Bilingual(
    "抽選の順番が来たときに、席が足りませんでした", "too few places were left at your turn in the draw"
)
_NOT_IN_DRAW: Final = Bilingual("対象外", "not in the draw")


@dataclass(frozen=True)
class ClassLine:
    """Values of one class in a text. `verdict` and `reason` are for classes neither won nor waited for."""

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
    verdict: str
    verdict_en: str
    reason: str
    reason_en: str


def class_lines(campaign: Campaign, outcomes: Sequence[Outcome]) -> list[ClassLine]:
    """Return one line for each outcome of an application, in the same order."""
    return [_class_line(campaign, outcome, outcomes) for outcome in outcomes]


def _class_line(campaign: Campaign, outcome: Outcome, outcomes: Sequence[Outcome]) -> ClassLine:
    """Return the line of a class. A class that left the campaign file is named by its id."""
    event_class = campaign.event_class(outcome.class_id)
    verdict, reason = _explain(campaign, outcome, outcomes)
    title = Bilingual(outcome.class_id, outcome.class_id)
    when = when_en = venue = venue_en = number = ""
    if event_class is not None:
        title = Bilingual(event_class.title.ja, event_class.title.en)
        number = _format_number(event_class.number)
        when = f"{format_time(event_class.starts)}～{event_class.ends.astimezone(TOKYO):%H:%M}"
        when_en = f"{format_time_en(event_class.starts)}-{event_class.ends.astimezone(TOKYO):%H:%M}"
        venue, venue_en = event_class.place.ja, event_class.place.en
    return ClassLine(
        number=number,
        title=title.text,
        title_en=title.text_en,
        outcome=outcome.outcome,
        position=outcome.position,
        seats=outcome.seats,
        when=when,
        when_en=when_en,
        venue=venue,
        venue_en=venue_en,
        verdict=verdict.text,
        verdict_en=verdict.text_en,
        reason=reason.text,
        reason_en=reason.text_en,
    )


def _explain(campaign: Campaign, outcome: Outcome, outcomes: Sequence[Outcome]) -> tuple[Bilingual, Bilingual]:
    """Return what happened and why, for a class neither won nor waited for."""
    if outcome.outcome == "refused":
        return _NOT_IN_DRAW, reason_text(outcome.reason)
    if outcome.reason == "clash":
        return _NOT_GIVEN, _overlap_text(campaign, outcome, outcomes)
    if outcome.reason == "limit":
        return _NOT_GIVEN, _limit_text(campaign.draw.max_wins)
    return _LOST, _NO_SEATS_LEFT


def _limit_text(most: int) -> Bilingual:
    classes = "1 class" if most == 1 else f"{most} classes"
    return Bilingual(
        f"お一人が当選できるのは{most}教室までです", f"you won {classes}, which is the most one person can win"
    )


def _overlap_text(campaign: Campaign, outcome: Outcome, outcomes: Sequence[Outcome]) -> Bilingual:
    """Name the class that the applicant won and that overlaps with this one, if the campaign file shows it."""
    this = campaign.event_class(outcome.class_id)
    won = (campaign.event_class(other.class_id) for other in outcomes if other.outcome == "won")
    other = next((found for found in won if this and found and _overlap(this, found)), None)
    if other is None:
        return Bilingual("当選した教室と時間が重なります", "it overlaps with a class that you won")
    return Bilingual(
        f"当選した{_format_number(other.number)}と時間が重なります",
        f"it overlaps with the class that you won, {other.title.en}",
    )


def _overlap(one: EventClass, other: EventClass) -> bool:
    return one.starts < other.ends and other.starts < one.ends


def _format_number(number: int) -> str:
    return _CIRCLED_NUMBERS[number - 1] if number <= len(_CIRCLED_NUMBERS) else f"{number}."


def format_time(at: datetime) -> str:
    """Return date with weekday and time, in Tokyo."""
    local = at.astimezone(TOKYO)
    return f"{local.year}年{local.month}月{local.day}日（{WEEKDAYS_JA[local.weekday()]}）{local:%H:%M}"


def format_time_en(at: datetime) -> str:
    """Return date with weekday and time, in Tokyo, in English."""
    return f"{at.astimezone(TOKYO):%a %d %b %Y, %H:%M}"
