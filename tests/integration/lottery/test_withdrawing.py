"""Applicants give up or confirm their places over HTTP and on the page; staff do it for those who telephone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.lottery.draw import handlers
from services.lottery.pages.site import lottery_renderer
from services.lottery.pages.withdraw import WithdrawPages, withdraw_router
from services.lottery.places.endpoints import PlaceServices, own_router, places_router
from services.lottery.places.ownership import Ownership
from shared.approvals import ApprovalKind
from shared.approvals.params import correction_params
from shared.contracts import ApplicationsRejected
from shared.json_types import JsonObject
from shared.staff_roles import Right
from shared.web import install_problems
from shared.web.wrong_proofs import WrongProofs
from tests.support.applicants import new_applicant
from tests.support.executed_approvals import approval_content, executed, reader_of_the_tests
from tests.support.lottery_harness import Town
from tests.support.places_harness import KIDS, After, events, results_are_out
from tests.support.staff_sign_in import sign_in_at, staff_access

NOBODY = "W-0000-0000-0"


class Desk:
    """A town's office behind HTTP."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.after = after = After.of(town)
        self.owners = {applicant.entry: applicant for applicant in town.people}
        campaigns, owners = {after.campaign.id: after.campaign}, Ownership(after.store)
        desk = PlaceServices(
            after.store, campaigns, after.places, owners, after.correcting, WrongProofs(most=5), reader_of_the_tests()
        )
        self.app = FastAPI()
        install_problems(self.app)
        guard = staff_access("lottery", after.store, folder).guard(Right.READ_DRAWS, Right.CORRECT_PLACES)
        self.app.include_router(places_router(desk, guard))
        self.app.include_router(own_router(desk))
        self.app.include_router(withdraw_router(WithdrawPages(campaigns, after.clock, lottery_renderer())))
        transport = httpx.ASGITransport(self.app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://lottery")

    def proof(self, place: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Return the body of the place's owner."""
        return {"v": 2, "entry": place["entry"], "proof": self.owners[place["entry"]].proof, **more}

    async def post(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.http.post(f"/v1/campaigns/{self.after.campaign.id}/places{path}", json=body, headers=headers)


@pytest.fixture
async def desk(town: Town, tmp_path: Path) -> AsyncIterator[Desk]:
    await results_are_out(town)
    made = Desk(town, tmp_path)
    yield made
    await made.http.aclose()


async def test_the_owner_of_an_entry_sees_gives_up_and_accepts_its_places(desk: Desk):
    held, waits = (await desk.after.of_class(KIDS, "held"))[0], (await desk.after.of_class(KIDS, "waiting"))[0]
    own = desk.proof(held)
    seen = (await desk.post("/own", own)).json()
    assert (seen["v"], seen["entry"], seen["receipt"]) == (2, held["entry"], held["receipt"])
    assert [each["state"] for each in seen["places"] if each["class_id"] == KIDS] == ["held"]
    for _ in range(2):
        answer = await desk.post("/own/answer", {**own, "class_id": KIDS, "answer": "withdraw"})
        mine = next(each for each in answer.json()["places"] if each["class_id"] == KIDS)
        assert (answer.status_code, mine["state"], mine["why"]) == (200, "gone", "withdrawn")
    early = await desk.post("/own/answer", desk.proof(waits, class_id=KIDS, answer="accept"))
    assert (early.status_code, early.json()["type"]) == (409, "urn:kuji:problem:not-possible")
    await desk.after.settle()
    accepted = await desk.post("/own/answer", desk.proof(waits, class_id=KIDS, answer="accept"))
    assert [each["state"] for each in accepted.json()["places"] if each["class_id"] == KIDS] == ["held"]
    assert (await desk.after.verified()).passed


async def test_the_owner_sees_rank_and_reason_of_every_class_as_the_slip_says_them(desk: Desk):
    slips = {slip["entry"]: slip["outcomes"] for slip in await desk.after.slips()}
    seen = {entry: (await desk.post("/own", desk.proof({"entry": entry}))).json()["outcomes"] for entry in slips}
    assert seen == slips
    every = [outcome for outcomes in seen.values() for outcome in outcomes]
    assert {(outcome["outcome"], outcome.get("reason")) for outcome in every} >= {
        ("won", None), ("waiting", None), ("lost", "drawn"), ("lost", "limit"),
    }  # fmt: skip
    for name in {outcome["class_id"] for outcome in every}:
        ranks = [(outcome["rank"], outcome["of"]) for outcome in every if outcome["class_id"] == name]
        assert sorted(ranks) == [(at, len(ranks)) for at in range(1, len(ranks) + 1)]


async def test_an_outcome_follows_the_place_after_the_draw(desk: Desk):
    held = (await desk.after.of_class(KIDS, "held"))[0]
    own = desk.proof(held)
    before = (await desk.post("/own", own)).json()["outcomes"]
    after = (await desk.post("/own/answer", {**own, "class_id": KIDS, "answer": "withdraw"})).json()["outcomes"]
    [was], [now] = ([each for each in outcomes if each["class_id"] == KIDS] for outcomes in (before, after))
    assert now == {**was, "outcome": "gone", "reason": "withdrawn"}


async def test_a_wrong_proof_and_an_unknown_entry_answer_the_same_and_a_right_proof_always_passes(desk: Desk):
    one, other = (await desk.after.of_class(KIDS, "held"))[:2]
    of_one, of_other = desk.proof(one), desk.proof(other)
    wrong = [
        {**of_one, "proof": of_other["proof"]},
        {**of_one, "entry": new_applicant(desk.after.campaign.id).entry},
        {**of_one, "proof": f"{of_one['proof'][:-1]}{'_' if of_one['proof'][-1] != '_' else '-'}"},
    ]
    answers = [await desk.post("/own", body) for body in wrong]
    assert len({(each.status_code, each.text) for each in answers}) == 1
    assert answers[0].json()["type"] == "urn:kuji:problem:not-yours"
    assert [(await desk.post("/own", wrong[0])).status_code for _ in range(4)] == [403, 403, 429, 429]
    assert (await desk.post("/own", of_one)).status_code == 200
    assert (await desk.post("/own", {**of_one, "v": 1})).status_code == 422
    assert (await desk.post("/own", {**of_one, "v": True})).status_code == 422


async def test_staff_record_what_was_said_by_telephone_and_whoever_is_present_and_see_every_class(desk: Desk):
    after = desk.after
    staff = await sign_in_at(after.store, "lottery", "sato")
    held, waits = (await after.of_class(KIDS, "held"))[0], await after.of_class(KIDS, "waiting")
    said = {"receipt": held["receipt"], "class_id": KIDS, "answer": "withdraw"}
    assert (await desk.post("/answers", said)).status_code == 401
    assert (await desk.post("/answers", said, **staff)).status_code == 200
    assert (await desk.post("/answers", {**said, "receipt": NOBODY}, **staff)).status_code == 404
    after.clock.at = after.campaign.classes[3].starts + timedelta(minutes=20)
    present = {**said, "receipt": waits[2]["receipt"], "answer": "present"}
    assert (await desk.post("/answers", present, **staff)).status_code == 200
    assert (await desk.post("/answers", present, **staff)).status_code == 409
    url = f"/v1/campaigns/{after.campaign.id}/places"
    listed = (await desk.http.get(url, params={"class_id": KIDS, "state": "held"}, headers=staff)).json()
    (kids,) = [each for each in listed["classes"] if each["class_id"] == KIDS]
    assert (kids["held"], kids["waiting"], kids["gone"], kids["free"]) == (10, 4, 1, 0)
    assert {each["receipt"] for each in listed["places"]} >= {waits[2]["receipt"]}
    history = (await desk.http.get(f"{url}/history", headers=staff)).json()["history"]
    assert [(each["event"], each["actor"]) for each in history[:2]] == [("withdrawn", "sato"), ("promoted", "sato")]
    await after.renewing.renew(after.campaign)
    content = await after.transcript()
    assert "actor" not in str(content["history"])
    assert events(content, "promoted")[0]["past"] == [waits[0]["entry"], waits[1]["entry"]]


async def test_a_correction_needs_an_approval_and_names_the_receipt(town: Town, tmp_path: Path):
    refused = new_applicant(town.campaign.id, "fax")
    event = ApplicationsRejected(campaign=town.campaign.id, items=(refused.rejected("grade"),))
    await town.office.store.transact(lambda uow: handlers.on_rejected([event], uow))
    await results_are_out(town)
    desk = Desk(town, tmp_path)
    staff = await sign_in_at(desk.after.store, "lottery", "sato")
    body = {"receipt": refused.receipt, "choices": [{"class_id": KIDS, "seats": 1}]}
    assert (await desk.post("/corrections", body, **staff)).status_code == 422
    approved = await approve(desk, refused.receipt)
    both = await desk.post("/corrections", {**body, "approval": approved}, **staff)
    assert both.status_code == 201
    assert set(both.json()["given"].values()) <= {"held", "waiting"}
    approved = await approve(desk, "W-7K3M-9Q2P-6")
    mistyped = await desk.post("/corrections", {**body, "receipt": "W-7K3M-9Q2P-6", "approval": approved}, **staff)
    assert (mistyped.status_code, mistyped.json()["type"]) == (404, "urn:kuji:problem:no-such-place")
    desk.owners[refused.entry] = refused
    assert (await desk.post("/own", desk.proof({"entry": refused.entry}))).status_code == 200
    await desk.http.aclose()


async def approve(desk: Desk, receipt: str) -> JsonObject:
    """Return an executed approval to correct one seat of the class, requested by `sato`."""
    draw = await desk.after.office.draw()
    params = correction_params(draw.id, receipt, [(KIDS, 1)])
    return executed(approval_content(ApprovalKind.CORRECT_PLACE, draw.campaign, params, "sato"))


async def test_the_page_holds_no_code_and_sends_none(desk: Desk):
    first = await desk.http.get(f"/c/{desk.after.campaign.id}/withdraw")
    assert (first.status_code, 'lang="ja"' in first.text) == (200, True)
    assert 'method="post"' not in first.text
    assert (await desk.http.get("/en/c/no-such/withdraw")).status_code == 404
    assert (await desk.http.get("/withdraw")).headers["location"] == f"/c/{desk.after.campaign.id}/withdraw"
