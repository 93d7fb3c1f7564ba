"""What the steps of a draw share: reading where it is, going one step on, and the refusals."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.lottery.draw import repository as draws
from services.lottery.draw.rules.blockers import Readiness
from services.lottery.draw.rules.states import BEFORE, UNLESS_ERASED, DrawState
from shared.errors import KujiError
from shared.ids import CampaignId
from shared.storage import Store, UnitOfWork


class NotYet(KujiError):  # noqa: N818  (says what is the case)
    """The list cannot be frozen: applications are open. `readiness` says which."""

    def __init__(self, readiness: Readiness) -> None:
        super().__init__("the list is not complete")
        self.readiness = readiness


class WrongState(KujiError):  # noqa: N818  (says what is the case)
    """The draw is at another step; `state` is where it is."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the draw is {state}")
        self.state = state


class TooEarly(KujiError):  # noqa: N818  (says what is the case)
    """Applications may still arrive."""


class ObjectionsOpen(KujiError):  # noqa: N818  (says what is the case)
    """The list has not been in public long enough; `until` is when chance may be given."""

    def __init__(self, until: datetime) -> None:
        super().__init__("objections may still be raised")
        self.until = until


async def draw_of(store: Store, campaign: CampaignId) -> dict[str, Any]:
    """The draw's document: `state`, `number`, `draw` (its id), and what earlier steps left in it."""
    found: dict[str, Any] | None = await store.db[draws.DRAWS].find_one({"_id": campaign})
    if found is None:
        raise WrongState("unknown")
    return found


async def step(uow: UnitOfWork, draw: Mapping[str, Any], to: DrawState, values: dict[str, Any]) -> None:
    """Take `draw`, as it was read, one state on, from the one before it only. Raises WrongState.

    Of this very draw: whoever was slow may find the next one in the state in which it left its own.
    """
    same: dict[str, Any] = {"_id": draw["_id"], "draw": draw["draw"], "state": BEFORE[to]}
    if to == DrawState.DRAWN:
        same |= UNLESS_ERASED
    taken = await uow.db[draws.DRAWS].update_one(same, {"$set": {"state": to, **values}}, session=uow.session)
    if taken.modified_count == 0:
        found = await uow.db[draws.DRAWS].find_one({"_id": draw["_id"]}, session=uow.session)
        raise WrongState(found["state"] if found else "unknown")
