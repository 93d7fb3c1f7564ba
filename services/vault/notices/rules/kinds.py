"""Kinds of notices, as `shared/notices/kinds.json` lists them: source, condition, parameters. Pure."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

import shared
from services.vault.notices.rules.registered import Registered
from shared.campaign import Campaign
from shared.contracts import NoticeChannel, OutcomeSlip
from shared.contracts.base import Value
from shared.contracts.notices import NoticeParams

DEFAULTS: Final = Path(shared.__file__).with_name("notices")
"""Folder of the kinds and of their default templates."""

CHANGES_PER_DRAW: Final = 1_000_000
"""`n` of a slip is the draw's number times this, plus the number of the change; 0 is the result of the draw."""

Source = Literal["slip", "register", "campaign"]
"""Origin of the facts in a text: a signed slip, the vault's register, or the campaign file alone."""

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)")


class Param(Value):
    """Form of one parameter. `class`: id of a class; `enum`: one of `values`; `time`: RFC 3339; `count`: a number."""

    form: Literal["class", "enum", "time", "count"]
    values: tuple[str, ...] = ()
    optional: bool = False

    def accepts(self, value: str | int, campaign: Campaign) -> bool:
        """Return True if the value has this form."""
        if self.form == "count":
            return isinstance(value, int)
        if isinstance(value, int):
            return False
        if self.form == "class":
            return campaign.event_class(value) is not None
        return value in self.values if self.form == "enum" else _is_time(value)


class Condition(Value):
    """Condition on slip or register.

    `change`: the slip is of a change after the draw, and not the draw's result. `outcomes`: outcomes that the class of
    the parameter `class_id` may have. `refused`: the register has reasons against the application. `same_person`: the
    draw is published, and the way of the notice leads to an address that the standing application gave, too.
    `undecided`: the draw is published, and a doubt about the application was undecided when its list was frozen.
    """

    change: bool | None = None
    outcomes: tuple[str, ...] = ()
    refused: bool | None = None
    same_person: bool | None = None
    undecided: bool | None = None


class Kind(Value):
    """One kind of notice. `channels`: ways by which it may go."""

    source: Source
    channels: tuple[NoticeChannel, ...] = ("mail", "card")
    condition: Condition
    params: Mapping[str, Param]


class _File(Value):
    v: Literal[2]
    kinds: Annotated[Mapping[str, Kind], Field(min_length=1)]


def _read_kinds() -> Mapping[str, Kind]:
    content = json.loads((DEFAULTS / "kinds.json").read_text("utf-8"))
    return TypeAdapter(_File).validate_python(content).kinds


KINDS: Final[Mapping[str, Kind]] = _read_kinds()


def check_params(kind: str, params: NoticeParams, campaign: Campaign) -> bool:
    """Return True if the kind is known, and has exactly these parameters in the forms that it names."""
    known = KINDS.get(kind)
    if known is None or not params.keys() <= known.params.keys():
        return False
    required = {name for name, param in known.params.items() if not param.optional}
    return required <= params.keys() and all(
        known.params[name].accepts(value, campaign) for name, value in params.items()
    )


def holds(kind: str, facts: OutcomeSlip | Registered | None, params: NoticeParams) -> bool:
    """Return True if slip or register (None for announcements) allow a notice of this kind with these parameters."""
    known = KINDS.get(kind)
    if known is None:
        return False
    if isinstance(facts, OutcomeSlip):
        return known.source == "slip" and _slip_holds(known.condition, facts, params)
    if isinstance(facts, Registered):
        return known.source == "register" and _register_holds(known.condition, facts)
    return known.source == "campaign"


def _register_holds(condition: Condition, facts: Registered) -> bool:
    if condition.same_person is not None and condition.same_person != facts.is_same_person:
        return False
    if condition.undecided is not None and condition.undecided != facts.is_undecided:
        return False
    return condition.refused == bool(facts.reasons)


def _slip_holds(condition: Condition, slip: OutcomeSlip, params: NoticeParams) -> bool:
    if condition.change is not None and condition.change != bool(slip.n % CHANGES_PER_DRAW):
        return False
    if not condition.outcomes:
        return True
    class_id = params.get("class_id")
    return any(outcome.class_id == class_id and outcome.outcome in condition.outcomes for outcome in slip.outcomes)


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
