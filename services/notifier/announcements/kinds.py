"""Kinds of announcements in `shared/notices/kinds.json`, and a check of their parameters.

The vault checks the same again and answers `invalid`; this check answers the handler at once.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, TypeAdapter

import shared
from shared.campaign import Campaign
from shared.contracts import NoticeParams
from shared.errors import KujiError

_FILE: Final = Path(shared.__file__).with_name("notices") / "kinds.json"


class _Param(BaseModel):
    form: str
    values: tuple[str, ...] = ()
    optional: bool = False


class _Kind(BaseModel):
    source: str
    params: Mapping[str, _Param]


class WrongAnnouncementError(KujiError):
    """Raised when kind or parameters are not as kinds.json says. The text names the mistake."""


class AnnouncementKinds:
    """Kinds with the source `campaign`: their texts need no slip and no fact about a person."""

    def __init__(self) -> None:
        kinds = TypeAdapter(Mapping[str, _Kind]).validate_python(json.loads(_FILE.read_text("utf-8"))["kinds"])
        self._kinds = {name: kind for name, kind in kinds.items() if kind.source == "campaign"}

    def check(self, kind: str, params: NoticeParams, campaign: Campaign) -> None:
        """Raise WrongAnnouncementError if the kind is none, or a parameter is missing, unknown or of another form."""
        if kind not in self._kinds:
            raise WrongAnnouncementError(f"kind: one of {', '.join(sorted(self._kinds))}")
        known = self._kinds[kind].params
        required = {name for name, param in known.items() if not param.optional}
        wrong = (params.keys() - known.keys()) | (required - params.keys())
        wrong |= {name for name, value in params.items() if name in known and not _fits(known[name], value, campaign)}
        if wrong:
            forms = {name: "|".join(param.values) or param.form for name, param in known.items()}
            raise WrongAnnouncementError(f"{', '.join(sorted(wrong))}; parameters of {kind}: {forms}")


def _fits(param: _Param, value: str | int, campaign: Campaign) -> bool:
    """Check enumerations and classes; the vault checks the rest."""
    match param.form:
        case "enum":
            return value in param.values
        case "class":
            return isinstance(value, str) and campaign.event_class(value) is not None
        case form:
            return isinstance(value, int) == (form == "count")
