"""Ceremony of one draw: which list the witnesses' digits belong to, when they may be entered, and by whom. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.dice_acts import DiceRole, DiceRule
from shared.errors import RefusedError
from shared.ids import CampaignId, DrawId
from shared.staff_roles import Role

_ROLES: Final[tuple[tuple[Role, DiceRole], ...]] = (
    (Role.WARD, "ward"),
    (Role.AUDITOR, "auditor"),
    (Role.RESPONSIBLE, "responsible"),
)
"""Roles of witnesses. A person with several acts in the first of them."""


class CeremonyState(StrEnum):
    """State of a ceremony. Texts of the page name it by `dice.state.<value>`."""

    EARLY = "early"
    OPEN = "open"
    COMPLETE = "complete"
    MISSED = "missed"
    """The time is over and digits are missing: the draw needs a later round."""
    REPLACED = "replaced"
    """The lottery gave the draw up and began a later one."""


class DiceRefusedError(RefusedError):
    """Raised when digits are not taken; `reason`: `early`, `late`, `complete`, `entered-before`, `replaced`."""


@dataclass(frozen=True)
class Entered:
    """A witness who entered digits: staff id, which never leaves the vault, role and time."""

    by: str
    role: DiceRole
    at: datetime


@dataclass(frozen=True)
class Ceremony:
    """Request of the lottery, and the digits that were entered so far. `last`: False after a later draw began."""

    campaign: CampaignId
    draw: DrawId
    number: int
    manifest_sha256: str
    opens: datetime
    round_at: datetime
    witnesses: int
    entered: tuple[Entered, ...] = ()
    last: bool = True

    @property
    def rule(self) -> DiceRule:
        """Rule of the acts of this draw."""
        return DiceRule(self.campaign, self.draw, self.manifest_sha256, self.witnesses, self.round_at)

    def state(self, now: datetime) -> CeremonyState:
        """Return the state at a time of the campaign's clock."""
        if not self.last:
            return CeremonyState.REPLACED
        if len(self.entered) >= self.witnesses:
            return CeremonyState.COMPLETE
        if now < self.opens:
            return CeremonyState.EARLY
        return CeremonyState.OPEN if now <= self.rule.latest else CeremonyState.MISSED

    def has_entered(self, staff_id: str) -> bool:
        """Return True if this person entered digits."""
        return any(entered.by == staff_id for entered in self.entered)

    def check(self, staff_id: str, now: datetime) -> None:
        """Raise DiceRefusedError unless this person may enter digits now."""
        if self.has_entered(staff_id):
            raise DiceRefusedError("entered-before")
        match self.state(now):
            case CeremonyState.EARLY:
                raise DiceRefusedError("early")
            case CeremonyState.MISSED:
                raise DiceRefusedError("late")
            case CeremonyState.COMPLETE:
                raise DiceRefusedError("complete")
            case CeremonyState.REPLACED:
                raise DiceRefusedError("replaced")


def witness_role(roles: Collection[Role]) -> DiceRole | None:
    """Return the role in which a person with these roles is a witness; None without one."""
    return next((name for role, name in _ROLES if role in roles), None)
