"""Values of one class in a text: the outcome, the reason for it, time and venue, in both languages. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.vault.notices.rules.facts import CampaignFacts, ClassFacts, format_time, format_time_en
from services.vault.notices.rules.reasons import Bilingual, reason_text
from shared.contracts import Choice, Refusal, SlipOutcome

_NOTHING: Final = Bilingual("", "")
_LOST: Final = Bilingual("落選", "not drawn")
_NOT_GIVEN: Final = Bilingual("見送り", "not given")
_NO_SEATS_LEFT: Final = Bilingual(
    "抽選の順番が来たときに、席が足りませんでした", "too few places were left at your turn in the draw"
)
_GROUP: Final = Bilingual(
    "抽選の順番が来たときに残っていた席が、申し込まれた人数より少なかったためです",
    "fewer places were left at your turn in the draw than your group needs",
)
_NOT_IN_DRAW: Final = Bilingual("対象外", "not in the draw")
_GONE: Final = Bilingual("終了", "no place any more")
_ENDINGS: Final[Mapping[str | None, Bilingual]] = {
    "withdrawn": Bilingual("辞退のお手続きがありました", "you gave it up"),
    "declined": Bilingual("参加されないとのお返事がありました", "you declined the place that was offered"),
    "expired": Bilingual("期限までにお返事がありませんでした", "the offer was not answered in time"),
    "released": Bilingual("開始の時刻までにお越しになりませんでした", "you had not come by the set time"),
}
"""Reasons of the outcome `gone`: the move that ended the place."""
_ENDED: Final = Bilingual("席は、ほかの方にお譲りしました", "the place has gone to another person")


@dataclass(frozen=True)
class ClassLine:
    """Values of one class in a text.

    `outcome`: as in the slip; `asked` for a class that waits for the draw. `verdict`: the outcome in words.
    `reason`: for classes that are neither won, offered nor waited for.
    """

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
    answer_by: str
    answer_by_en: str


def outcome_lines(facts: CampaignFacts, outcomes: Sequence[SlipOutcome]) -> tuple[ClassLine, ...]:
    """Return one line for each outcome of a slip, in the same order."""
    return tuple(
        _class_line(
            facts,
            outcome.class_id,
            outcome.outcome,
            outcome.seats,
            explanation=_explain(facts, outcome, outcomes),
            position=outcome.position,
            answer_by=outcome.answer_by,
        )
        for outcome in outcomes
    )


def choice_lines(facts: CampaignFacts, choices: Sequence[Choice]) -> tuple[ClassLine, ...]:
    """Return one line for each class that was asked for, in order of preference."""
    return tuple(_class_line(facts, choice.class_id, "asked", choice.seats) for choice in choices)


def refusal_lines(facts: CampaignFacts, refusals: Sequence[Refusal]) -> tuple[ClassLine, ...]:
    """Return one line for each class that the rules do not allow the applicant."""
    return tuple(
        _class_line(facts, refusal.class_id, "refused", 1, explanation=(_NOT_IN_DRAW, reason_text(refusal.reason)))
        for refusal in refusals
    )


def class_line(facts: CampaignFacts, class_id: str) -> ClassLine:
    """Return the line of a class without an outcome, for announcements."""
    return _class_line(facts, class_id, "", 1)


def _class_line(
    facts: CampaignFacts,
    class_id: str,
    outcome: str,
    seats: int,
    *,
    explanation: tuple[Bilingual, Bilingual] = (_NOTHING, _NOTHING),
    position: int | None = None,
    answer_by: str | None = None,
) -> ClassLine:
    """Return the line of a class. A class that left the campaign file is named by its id."""
    this = facts.classes.get(class_id)
    verdict, reason = explanation
    title = this.title if this else Bilingual(class_id, class_id)
    when, venue = (this.when, this.venue) if this else (_NOTHING, _NOTHING)
    until = datetime.fromisoformat(answer_by) if answer_by else None
    return ClassLine(
        number=this.number if this else "",
        title=title.text,
        title_en=title.text_en,
        outcome=outcome,
        position=position,
        seats=seats,
        when=when.text,
        when_en=when.text_en,
        venue=venue.text,
        venue_en=venue.text_en,
        verdict=verdict.text,
        verdict_en=verdict.text_en,
        reason=reason.text,
        reason_en=reason.text_en,
        answer_by=format_time(until) if until else "",
        answer_by_en=format_time_en(until) if until else "",
    )


def _explain(
    facts: CampaignFacts, outcome: SlipOutcome, outcomes: Sequence[SlipOutcome]
) -> tuple[Bilingual, Bilingual]:
    """Return what happened, and why for a class that is neither won, offered nor waited for."""
    if outcome.outcome in {"won", "waiting", "offered"}:
        return _describe_place(outcome), _NOTHING
    if outcome.outcome == "refused":
        return _NOT_IN_DRAW, reason_text(outcome.reason)
    if outcome.outcome == "gone":
        return _GONE, _ENDINGS.get(outcome.reason, _ENDED)
    if outcome.reason == "clash":
        return _NOT_GIVEN, _overlap_text(facts, outcome, outcomes)
    if outcome.reason == "limit":
        return _NOT_GIVEN, _limit_text(facts.max_wins)
    return _LOST, _GROUP if outcome.reason == "group" else _NO_SEATS_LEFT


def _describe_place(outcome: SlipOutcome) -> Bilingual:
    """Return the verdict on a class that is won, offered or waited for."""
    if outcome.outcome == "waiting":
        return Bilingual(f"補欠 {outcome.position} 番", f"waiting list, number {outcome.position}")
    places = "1 place" if outcome.seats == 1 else f"{outcome.seats} places"
    if outcome.outcome == "won":
        return Bilingual(f"当選（{outcome.seats}名分）", f"won ({places})")
    return Bilingual(f"空き席のご案内（{outcome.seats}名分）", f"offered to you ({places})")


def _limit_text(most: int) -> Bilingual:
    classes = "1 class" if most == 1 else f"{most} classes"
    return Bilingual(
        f"お一人が当選できるのは{most}教室までです", f"you won {classes}, which is the most one person can win"
    )


def _overlap_text(facts: CampaignFacts, outcome: SlipOutcome, outcomes: Sequence[SlipOutcome]) -> Bilingual:
    """Name the class that the applicant won and that overlaps with this one, if the campaign file shows it."""
    this = facts.classes.get(outcome.class_id)
    other = next((won for won in _won_classes(facts, outcomes) if this and this.overlaps(won)), None)
    if other is None:
        return Bilingual("当選した教室と時間が重なります", "it overlaps with a class that you won")
    return Bilingual(
        f"当選した{other.number}と時間が重なります", f"it overlaps with the class that you won, {other.title.text_en}"
    )


def _won_classes(facts: CampaignFacts, outcomes: Sequence[SlipOutcome]) -> list[ClassFacts]:
    won = [facts.classes.get(outcome.class_id) for outcome in outcomes if outcome.outcome == "won"]
    return [event_class for event_class in won if event_class is not None]
