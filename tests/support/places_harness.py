"""A town whose results are out, and the office that looks after its places."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.lottery.keys import LotteryKeys
from services.lottery.places.corrections import Corrections, RefusedApplication
from services.lottery.places.moves import Answer, PlaceMoves
from services.lottery.places.promote import Promotions
from services.lottery.places.repository import PLACES
from services.lottery.places.resign_transcript import TranscriptSigner
from services.lottery.places.stored_place import Actor
from services.lottery.promotion.states import PlaceState
from services.lottery.slips import SlipSigner
from services.lottery.verification.transcript_checks import Report, verify_transcript
from shared.approvals import ApprovalKind
from shared.approvals.params import correction_params
from shared.campaign import Campaign
from shared.clock import FixedClock
from shared.ids import ClassId
from shared.storage import OUTBOX, Store
from tests.support.executed_approvals import presented
from tests.support.lottery_harness import Office, Town, drawn
from tests.support.service_keys import keys_dir

KIDS, FOOTBALL = ClassId("escort-kids"), ClassId("junior-football")
"""Ten places, and five who wait; seventy-five, and fifteen."""

APPLICANT = Actor("applicant")


@dataclass(frozen=True)
class After:
    """One process's view. `settle` is what its schedule does, until nothing is due."""

    campaign: Campaign
    clock: FixedClock
    store: Store
    office: Office
    places: PlaceMoves
    passing_on: Promotions
    renewing: TranscriptSigner
    correcting: Corrections
    passes: SlipSigner

    @classmethod
    def of(cls, town: Town, number: int = 0) -> "After":
        office, keys = town.offices[number], LotteryKeys(keys_dir())
        store, clock, passes = office.store, town.clock, SlipSigner(keys, {town.campaign.id: town.campaign})
        return cls(
            town.campaign,
            clock,
            store,
            office,
            PlaceMoves(store, clock, passes),
            Promotions(store, clock, passes),
            TranscriptSigner(store, keys),
            Corrections(store, clock, passes),
            passes,
        )

    async def settle(self) -> None:
        for _ in range(3):
            await self.passing_on.advance(self.campaign)
        await self.renewing.renew(self.campaign)

    async def of_class(self, class_id: ClassId, *states: str) -> list[dict[str, Any]]:
        """Those in these states, waiting ones in order."""
        wanted = {"class_id": class_id, "state": {"$in": list(states)}}
        return await self.store.db[PLACES].find(wanted).sort([("position", 1), ("_id", 1)]).to_list(None)

    async def answer(self, place: dict[str, Any], answer: Answer, by: Actor = APPLICANT) -> None:
        await self.places.answer(self.campaign.id, place["entry"], place["class_id"], answer, by)

    async def correct(self, refused: RefusedApplication) -> dict[str, PlaceState]:
        """Correct a wrong refusal by a fresh approval."""
        draw = await self.office.draw()
        params = correction_params(draw.id, refused.receipt, refused.choices)
        approval = presented(ApprovalKind.CORRECT_PLACE, self.campaign.id, params)
        return await self.correcting.correct(self.campaign.id, refused, approval)

    async def transcript(self, number: int | None = None) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(
            bytes((await self.office.published.transcript(self.campaign.id, number)).body)
        )
        return content

    async def verified(self) -> Report:
        return verify_transcript(await self.transcript())

    async def notices(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the items of `places.offered` in order: those of these kinds, or all."""
        items = await self._published("places.offered")
        return [item for item in items if not kinds or item["kind"] in kinds]

    async def offers(self) -> list[dict[str, Any]]:
        """Return the slips with which places were offered or given from the waiting list."""
        return [notice["slip"] for notice in await self.notices("offer", "place-won")]

    async def issued(self) -> list[tuple[str, int]]:
        """Return token and number of the slips that the vault was told of, sorted."""
        return sorted((item["token"], item["n"]) for item in await self._published("slips.issued"))

    async def slips(self) -> list[dict[str, Any]]:
        """Return all slips that were published, of results and of changes."""
        return [*await self._published("results.published"), *(notice["slip"] for notice in await self.notices())]

    async def _published(self, name: str) -> list[dict[str, Any]]:
        lines = await self.store.db[OUTBOX].find({"name": name}).sort("_id", 1).to_list(None)
        return [item for line in lines for item in json.loads(line["body"])["items"]]


async def leave_class(after: After, class_id: ClassId) -> list[dict[str, Any]]:
    """Let every entry leave a class, waiting ones first, until nothing is due; return the places as they were."""
    places = await after.of_class(class_id, "waiting", "held")
    for place in sorted(places, key=lambda one: str(one["state"]), reverse=True):
        await after.answer(place, "withdraw")
    await after.settle()
    return places


async def results_are_out(town: Town) -> None:
    await drawn(town)
    assert await town.office.publish()


def events(transcript: dict[str, Any], *names: str) -> Sequence[dict[str, Any]]:
    return [event for event in transcript["history"] if event["event"] in names]
