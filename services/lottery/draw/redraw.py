"""A draw happens once; a mistake is corrected by a new draw, with a reason and two people, and nothing is hidden.

The draw that is given up stays in public as it was: its manifest, its rows and, if it came so far, its transcript. The
new one has the next number, a new manifest that names the one before, and chance of its own.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.lottery.draw import repository as draws
from services.lottery.draw.freeze import closing_of
from services.lottery.draw.rules.states import UNLESS_ERASED, DrawState
from services.lottery.draw.transitions import WrongState, draw_of
from services.lottery.record.manifest import draw_id
from shared.campaign import Campaign
from shared.clock import Clock
from shared.errors import KujiError
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_GIVEN_UP: Final = frozenset({DrawState.FROZEN, DrawState.DRAWN, DrawState.PUBLISHED})

_log = get_logger(__name__)


class SamePerson(KujiError):  # noqa: N818  (says what is the case)
    """A correction needs two different people."""


@dataclass(frozen=True)
class Correction:
    """`reopen`: entries were wrong, so verdicts may come again before the list is frozen anew."""

    reason: str
    actor: str
    approved_by: str
    reopen: bool


class Redrawing:
    def __init__(self, store: Store, clock: Clock, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._store, self._clock, self._campaigns = store, clock, campaigns

    async def redraw(self, campaign: CampaignId, correction: Correction) -> str:
        """Give the present draw up and begin the next; its id. Raises SamePerson, WrongState."""
        if correction.actor == correction.approved_by:
            raise SamePerson("another person must approve")
        given_up = await draw_of(self._store, campaign)
        if given_up["state"] not in _GIVEN_UP or "erasure" in given_up:
            raise WrongState(given_up["state"])
        following = self._following(given_up, correction)

        async def work(uow: UnitOfWork) -> None:
            same = {"_id": campaign, "state": given_up["state"], "draw": given_up["draw"], **UNLESS_ERASED}
            last = await uow.db[draws.DRAWS].find_one_and_replace(same, following, session=uow.session)
            if last is None:
                raise WrongState("being changed by somebody else")
            # As it was last, not as it was read above: dice may have been given meanwhile, and stay on record.
            past = {**last, "_id": last["draw"], "campaign": campaign, "given_up": following["previous"]}
            await uow.db[draws.PAST_DRAWS].insert_one(past, session=uow.session)

        await self._store.transact(work)
        _log.info("draw-given-up", campaign=campaign, draw=given_up["draw"], state=given_up["state"])
        return str(following["draw"])

    def _following(self, given_up: Mapping[str, Any], correction: Correction) -> dict[str, Any]:
        campaign, number, now = CampaignId(given_up["_id"]), given_up["number"] + 1, self._clock.now()
        following = {
            "_id": campaign,
            "number": number,
            "draw": draw_id(campaign, number),
            "changes": given_up["changes"] + 1,
            "state": DrawState.OPEN,
            "previous": {
                "draw": given_up["draw"],
                "manifest_sha256": hashlib.sha256(given_up["manifest"].encode()).hexdigest(),
                "reason": correction.reason,
                "actor": correction.actor,
                "approved_by": correction.approved_by,
            },
        }
        if correction.reopen:
            return following
        closing = closing_of(self._campaigns[campaign], number, now, None)
        return {**following, "state": DrawState.FREEZING, "closing": closing}


async def all_draws(store: Store, campaign: CampaignId) -> list[dict[str, Any]]:
    """Every draw of the campaign, given up ones first, as their documents; the present one is the last."""
    past = await store.db[draws.PAST_DRAWS].find({"campaign": campaign}).sort("number", 1).to_list(None)
    return [*past, await draw_of(store, campaign)]


async def numbered_draw(store: Store, campaign: CampaignId, number: int) -> dict[str, Any] | None:
    """One of them; None where there is no such number."""
    return next((each for each in await all_draws(store, campaign) if each["number"] == number), None)
