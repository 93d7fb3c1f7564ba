"""Values of each kind of text: from the slip, from the register, or from the campaign file alone. Pure.

The members of these classes are the names that templates may use (`template_check.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from services.vault.notices.rules.class_lines import (
    ClassLine,
    choice_lines,
    class_line,
    outcome_lines,
    refusal_lines,
)
from services.vault.notices.rules.facts import CampaignFacts, CampaignText, OfficeText, PagesText
from services.vault.notices.rules.kinds import Source
from services.vault.notices.rules.reasons import Bilingual, advise, reason_text
from services.vault.notices.rules.registered import Registered
from shared.contracts import FURTHER_ROUND, OutcomeSlip
from shared.contracts.notices import NoticeParams
from shared.slip_numbers import number_of_draw

_WEATHER: Final[Mapping[str, Bilingual]] = {
    "rain": Bilingual("雨", "rain"),
    "typhoon": Bilingual("台風", "a typhoon"),
    "thunder": Bilingual("雷", "thunderstorms"),
    "heat": Bilingual("猛暑", "extreme heat"),
    "snow": Bilingual("雪", "snow"),
}
_ENTRANCES: Final[Mapping[str, Bilingual]] = {
    "main": Bilingual("正面入口", "main entrance"),
    "north": Bilingual("北口", "north entrance"),
    "east": Bilingual("東口", "east entrance"),
    "south": Bilingual("南口", "south entrance"),
    "west": Bilingual("西口", "west entrance"),
    "side": Bilingual("通用口", "side entrance"),
}


@dataclass(frozen=True)
class SlipValues:
    """Values of a text about a slip.

    `line`: class that the notice is about, None for the result; `others`: all other classes. `hopeful`: a class is won,
    offered or waited for. `redraw`: the draw corrects an earlier one; `further`: the class was won in a further round.
    The code is no value: no text may repeat it.
    """

    campaign: CampaignText
    office: OfficeText
    pages: PagesText
    name: str
    receipt: str
    lines: tuple[ClassLine, ...]
    line: ClassLine | None
    others: tuple[ClassLine, ...]
    won: bool
    waiting: bool
    hopeful: bool
    redraw: bool
    further: bool
    has_pass: bool


@dataclass(frozen=True)
class RegisterValues:
    """Values of a text about an application as it was registered.

    `lines`: classes in the draw; `refused`: classes that the rules do not allow; `reasons`: against all of it;
    `advice`: what still counts and what to do. `open`: applications are still taken. `version`: of the content, counted
    from 1; `corrected`: it is not the first.
    """

    campaign: CampaignText
    office: OfficeText
    pages: PagesText
    name: str
    receipt: str
    version: int
    corrected: bool
    lines: tuple[ClassLine, ...]
    refused: tuple[ClassLine, ...]
    reasons: tuple[Bilingual, ...]
    advice: tuple[Bilingual, ...]
    open: bool


@dataclass(frozen=True)
class AnnouncementValues:
    """Values of an announcement: nothing in it is about one person. `line`: class that it is about, None for all."""

    campaign: CampaignText
    office: OfficeText
    pages: PagesText
    line: ClassLine | None
    weather: Bilingual | None
    entrance: Bilingual | None


Values: TypeAlias = SlipValues | RegisterValues | AnnouncementValues

VALUES: Final[Mapping[Source, type[Values]]] = {
    "slip": SlipValues,
    "register": RegisterValues,
    "campaign": AnnouncementValues,
}
"""Class of the values, by the source of the kind."""


def slip_values(facts: CampaignFacts, slip: OutcomeSlip, name: str, params: NoticeParams) -> SlipValues:
    """Return the values of a slip."""
    lines = outcome_lines(facts, slip.outcomes)
    of_class = {outcome.class_id: line for outcome, line in zip(slip.outcomes, lines, strict=True)}
    line = next((line for class_id, line in of_class.items() if class_id == params.get("class_id")), None)
    outcomes = {outcome.outcome for outcome in slip.outcomes}
    return SlipValues(
        campaign=facts.campaign,
        office=facts.office,
        pages=facts.pages,
        name=name,
        receipt=slip.receipt,
        lines=lines,
        line=line,
        others=tuple(other for other in lines if other is not line),
        won="won" in outcomes,
        waiting="waiting" in outcomes,
        hopeful=bool(outcomes & {"won", "waiting", "offered"}),
        redraw=number_of_draw(slip.draw) > 1,
        further=any((one.class_id, one.reason) == (params.get("class_id"), FURTHER_ROUND) for one in slip.outcomes),
        has_pass=bool(slip.passes),
    )


def register_values(facts: CampaignFacts, registered: Registered, name: str, now: datetime) -> RegisterValues:
    """Return the values of an application. Classes say their reason themselves, so it is not listed twice."""
    of_classes = {refusal.reason for refusal in registered.refused}
    is_open = now < facts.closes_at
    closes = Bilingual(facts.campaign.closes, facts.campaign.closes_en) if is_open else None
    return RegisterValues(
        campaign=facts.campaign,
        office=facts.office,
        pages=facts.pages,
        name=name,
        receipt=registered.receipt,
        version=registered.version,
        corrected=registered.version > 1,
        lines=choice_lines(facts, registered.choices),
        refused=refusal_lines(facts, registered.refused),
        reasons=tuple(reason_text(code) for code in registered.reasons if code not in of_classes),
        advice=tuple(advise(registered.reasons, closes)) if registered.reasons else (),
        open=is_open,
    )


def announcement_values(facts: CampaignFacts, params: NoticeParams) -> AnnouncementValues:
    """Return the values of an announcement."""
    class_id = params.get("class_id")
    return AnnouncementValues(
        campaign=facts.campaign,
        office=facts.office,
        pages=facts.pages,
        line=None if class_id is None else class_line(facts, str(class_id)),
        weather=_WEATHER.get(str(params.get("weather"))),
        entrance=_ENTRANCES.get(str(params.get("entrance"))),
    )
