"""The lottery freezes an incomplete list, gives a draw up and corrects a place by an executed approval only."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.lottery.draw import handlers
from services.lottery.draw.endpoints import DrawServices, staff_router
from services.lottery.further.endpoints import FurtherRoundDesk, further_router
from services.lottery.keys import LotteryKeys
from services.lottery.places.endpoints import PlaceServices, places_router
from services.lottery.places.ownership import Ownership
from shared.approvals import ApprovalContent, ApprovalId, ApprovalKind
from shared.approvals.params import correction_params
from shared.approvals.used import USED_APPROVALS, mark_used
from shared.contracts import ApplicationsHeld, ApplicationsRejected
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.signing import SigningKey
from shared.staff_roles import Right, Role
from shared.web import install_problems
from shared.web.wrong_proofs import WrongProofs
from tests.support.applicants import new_applicant
from tests.support.executed_approvals import approval_content, executed, reader_of_the_tests
from tests.support.lottery_harness import Town, everybody_is_in
from tests.support.places_harness import FOOTBALL, KIDS, After, leave_class
from tests.support.service_keys import keys_dir
from tests.support.staff_sign_in import sign_in_at, staff_access

HANDLER = "yamada"

OTHER_KIND = {
    ApprovalKind.FREEZE_INCOMPLETE: ApprovalKind.REDRAW,
    ApprovalKind.REDRAW: ApprovalKind.CORRECT_PLACE,
    ApprovalKind.CORRECT_PLACE: ApprovalKind.RELEASE_NOTICES,
    ApprovalKind.FURTHER_ROUND: ApprovalKind.REDRAW,
}


@dataclass(frozen=True)
class Desk:
    """Staff routes of a town's lottery, and a client signed in with the role of a handler alone."""

    town: Town
    http: httpx.AsyncClient

    async def attack(self, path: str, body: JsonObject, right: ApprovalContent, other: JsonObject) -> None:
        """Present every wrong approval of an act. `right`: content that would do; `other`: parameters of another."""
        used = replace(right, id=ApprovalId(f"a-{secrets.token_hex(10)}"))
        await self.town.office.store.transact(lambda uow: mark_used(uow, used))
        wrong = {
            "malformed": {},
            "foreign-signature": executed(right, SigningKey.generate()),
            "other-kind": executed(replace(right, kind=OTHER_KIND[right.kind])),
            "other-campaign": executed(replace(right, campaign=CampaignId("another"))),
            "other-person": executed(replace(right, requested_by="suzuki")),
            "other-params": executed(replace(right, params=other)),
            "expired": executed(replace(right, expires=datetime.now(UTC) - timedelta(seconds=1))),
            "used": executed(used),
        }
        before = await self._state()
        for reason, document in wrong.items():
            refused = await self.http.post(path, json={**body, "approval": document})
            assert (refused.status_code, refused.json()["reason"]) == (409, reason), path
        named = await self.http.post(path, json={**body, "approved_by": "suzuki"})
        assert named.status_code == 422
        assert await self._state() == before

    async def act(self, path: str, body: JsonObject, right: ApprovalContent) -> httpx.Response:
        """Act by the right approval, which counts once."""
        body = {**body, "approval": executed(right)}
        done = await self.http.post(path, json=body)
        assert done.status_code in {200, 201}, done.text
        assert (await self.http.post(path, json=body)).status_code == 409
        return done

    async def params(self, kind: ApprovalKind) -> JsonObject:
        """Return the parameters for the present draw."""
        params: JsonObject = (await self.http.get("draw")).json()["approval_params"][kind]
        return params

    async def _state(self) -> tuple[Any, ...]:
        draw, store = await self.town.office.draw(), self.town.office.store
        return draw.id, draw.state, draw.places, await store.db[USED_APPROVALS].count_documents({})


@pytest.fixture
async def desk(town: Town, tmp_path: Path) -> AsyncIterator[Desk]:
    office, app, after = town.office, FastAPI(), After.of(town)
    campaigns, reader = {town.campaign.id: town.campaign}, reader_of_the_tests()
    install_problems(app)
    access = staff_access("lottery", office.store, tmp_path)
    draws = DrawServices(
        office.store,
        town.clock,
        LotteryKeys(keys_dir()),
        campaigns,
        office.freezing,
        office.randomness,
        office.redrawing,
        office.later_rounds,
        reader,
    )
    places = PlaceServices(
        office.store, campaigns, after.places, Ownership(office.store), after.correcting, WrongProofs(), reader
    )
    app.include_router(staff_router(draws, access.guard(Right.READ_DRAWS, Right.RUN_DRAWS)))
    rounds = FurtherRoundDesk(office.further, reader)
    app.include_router(further_router(rounds, access.guard(Right.READ_DRAWS, Right.RUN_DRAWS)))
    app.include_router(places_router(places, access.guard(Right.READ_DRAWS, Right.CORRECT_PLACES)))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=f"http://lottery/v1/campaigns/{town.campaign.id}/",
        headers=await sign_in_at(office.store, "lottery", HANDLER, {Role.HANDLER}),
    ) as client:
        await everybody_is_in(town)
        yield Desk(town, client)


async def test_each_act_of_two_people_needs_an_unused_approval_of_exactly_this_act(town: Town, desk: Desk):
    name, office = town.campaign.id, town.office
    refused = new_applicant(name)
    held = ApplicationsHeld(campaign=name, items=(town.people[0].held(revision=2),))
    rejected = ApplicationsRejected(campaign=name, items=(refused.rejected("grade"),))
    await office.store.transact(lambda uow: handlers.on_held([held], uow))
    await office.store.transact(lambda uow: handlers.on_rejected([rejected], uow))

    freeze = await desk.params(ApprovalKind.FREEZE_INCOMPLETE)
    assert freeze == {"draw": 1, "held": 1, "undecided": 0}
    right = approval_content(ApprovalKind.FREEZE_INCOMPLETE, name, freeze, HANDLER)
    body: JsonObject = {"override_reason": "recount agreed"}
    await desk.attack("freeze", body, right, {**freeze, "held": 2})
    await desk.act("freeze", body, right)

    await office.enter_chance(actor=HANDLER)
    await office.run()
    await office.publish()
    draw = await office.draw()
    choices = [(KIDS, 1), (FOOTBALL, 1)]
    correct = correction_params(draw.id, refused.receipt, choices)
    right = approval_content(ApprovalKind.CORRECT_PLACE, name, correct, HANDLER)
    body = {
        "receipt": refused.receipt,
        "choices": [{"class_id": class_id, "seats": seats} for class_id, seats in choices],
    }
    await desk.attack("places/corrections", body, right, correction_params(draw.id, refused.receipt, [(KIDS, 1)]))
    await desk.act("places/corrections", body, right)

    await leave_class(After.of(town), KIDS)
    further = (await desk.http.get("further-round")).json()["approval_params"]
    right = approval_content(ApprovalKind.FURTHER_ROUND, name, further, HANDLER)
    await desk.attack("further-round", {}, right, {**further, "seats": further["seats"] + 1})
    assert (await desk.act("further-round", {}, right)).json() == {"draw": f"{name}-2"}
    await office.finish()

    redraw = await desk.params(ApprovalKind.REDRAW)
    right = approval_content(ApprovalKind.REDRAW, name, redraw, HANDLER)
    body = {"reason": "dice fell off the table"}
    await desk.attack("redraw", body, right, {**redraw, "reopen": True})
    assert (await desk.act("redraw", body, right)).json()["number"] == 3
    previous = (await office.draw()).previous
    assert previous is not None
    assert (previous.actor, previous.approved_by, previous.staff) == ("handler", "handler", (HANDLER, right.id))
