"""Applicants give up or confirm their places over HTTP and on the page; staff do it for those who telephone."""

import re
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
from services.lottery.places.ownership import AttemptLimit, Ownership
from shared.contracts import ApplicationsRejected, RejectedApplication
from shared.ids import Receipt, new_application_id, new_token
from shared.staff_roles import Right
from shared.web import install_problems
from tests.support.lottery_harness import Town
from tests.support.places_harness import KIDS, After, events, results_are_out
from tests.support.staff_sign_in import sign_in_at, staff_access

NOBODY = "W-0000-0000-0"


class Desk:
    """A town's office behind HTTP."""

    def __init__(self, after: After, folder: Path) -> None:
        self.after = after
        owners = Ownership(after.store, after.passes, AttemptLimit())
        desk = PlaceServices(after.store, {after.campaign.id: after.campaign}, after.places, owners, after.correcting)
        self.app = FastAPI()
        install_problems(self.app)
        guard = staff_access("lottery", after.store, folder).guard(Right.READ_DRAWS, Right.CORRECT_PLACES)
        self.app.include_router(places_router(desk, guard))
        self.app.include_router(own_router(desk))
        self.app.include_router(withdraw_router(WithdrawPages(desk, lottery_renderer())))
        transport = httpx.ASGITransport(self.app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://lottery")

    def code(self, place: dict[str, Any]) -> str:
        return self.after.passes.code(self.after.campaign.id, place["draw"], place["application_id"])

    def proof(self, place: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"receipt": place["receipt"], "pass_code": self.code(place), **more}

    async def post(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.http.post(f"/v1/campaigns/{self.after.campaign.id}/places{path}", json=body, headers=headers)

    async def page(self, **fields: str) -> httpx.Response:
        return await self.http.post(f"/c/{self.after.campaign.id}/withdraw", data=fields)


@pytest.fixture
async def desk(town: Town, tmp_path: Path) -> AsyncIterator[Desk]:
    await results_are_out(town)
    made = Desk(After.of(town, tmp_path), tmp_path)
    yield made
    await made.http.aclose()


async def test_whoever_shows_receipt_and_code_sees_gives_up_and_accepts_in_any_spelling(desk: Desk):
    held, waits = (await desk.after.of_class(KIDS, "held"))[0], (await desk.after.of_class(KIDS, "waiting"))[0]
    typed = {
        "receipt": held["receipt"].lower().replace("-", ""),
        "pass_code": desk.code(held).replace("-", " ").lower(),
    }
    seen = (await desk.post("/own", typed)).json()
    assert seen["receipt"] == held["receipt"]
    assert [each["state"] for each in seen["places"] if each["class_id"] == KIDS] == ["held"]
    for _ in range(2):
        answer = await desk.post("/own/answer", {**typed, "class_id": KIDS, "answer": "withdraw"})
        mine = next(each for each in answer.json()["places"] if each["class_id"] == KIDS)
        assert (answer.status_code, mine["state"], mine["why"]) == (200, "gone", "withdrawn")
    early = await desk.post("/own/answer", desk.proof(waits, class_id=KIDS, answer="accept"))
    assert (early.status_code, early.json()["type"]) == (409, "urn:kuji:problem:not-possible")
    await desk.after.settle()
    accepted = await desk.post("/own/answer", desk.proof(waits, class_id=KIDS, answer="accept"))
    assert [each["state"] for each in accepted.json()["places"] if each["class_id"] == KIDS] == ["held"]
    assert (await desk.after.verified()).passed


async def test_a_wrong_code_an_unknown_receipt_and_another_persons_code_answer_the_same_until_it_is_enough(desk: Desk):
    one, other = (await desk.after.of_class(KIDS, "held"))[:2]
    wrong = [
        {"receipt": one["receipt"], "pass_code": desk.code(other)},
        {"receipt": NOBODY, "pass_code": desk.code(one)},
        {"receipt": "?", "pass_code": "?"},
    ]
    answers = [await desk.post("/own", body) for body in wrong]
    assert len({(each.status_code, each.text) for each in answers}) == 1
    assert answers[0].json()["type"] == "urn:kuji:problem:not-yours"
    for _ in range(9):
        assert (await desk.post("/own", wrong[0])).status_code == 403
    late = await desk.post("/own", desk.proof(one))
    assert (late.status_code, late.headers["retry-after"]) == (429, "600")
    assert (await desk.post("/own", desk.proof(other))).status_code == 200


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


async def test_a_correction_needs_two_people(town: Town, tmp_path: Path):
    name = new_application_id()
    refused = RejectedApplication(
        application_id=name,
        receipt=Receipt("F-7K3M-9Q2P-6"),
        token=new_token(),
        channel="fax",
        reasons=("grade",),
        revision=1,
    )
    event = ApplicationsRejected(campaign=town.campaign.id, items=(refused,))
    await town.office.store.transact(lambda uow: handlers.on_rejected([event], uow))
    await results_are_out(town)
    desk = Desk(After.of(town, tmp_path), tmp_path)
    staff = await sign_in_at(desk.after.store, "lottery", "sato")
    body = {
        "application_id": name,
        "receipt": "F-7K3M-9Q2P-6",
        "choices": [{"class_id": KIDS, "seats": 1}],
        "approved_by": "sato",
    }
    alone = await desk.post("/corrections", body, **staff)
    assert (alone.status_code, alone.json()["type"]) == (422, "urn:kuji:problem:second-person")
    both = await desk.post("/corrections", {**body, "approved_by": "suzuki"}, **staff)
    assert both.status_code == 201
    assert set(both.json()["given"].values()) <= {"held", "waiting"}
    unknown = await desk.post(
        "/corrections", {**body, "application_id": new_application_id(), "approved_by": "suzuki"}, **staff
    )
    assert unknown.status_code == 404
    mistyped = await desk.post("/corrections", {**body, "receipt": "W-7K3M-9Q2P-6", "approved_by": "suzuki"}, **staff)
    assert (mistyped.status_code, mistyped.json()["type"]) == (404, "urn:kuji:problem:no-such-place")
    await desk.http.aclose()


async def test_the_page_asks_twice_before_a_place_is_given_up_and_never_shows_a_code_it_was_not_given(desk: Desk):
    held = (await desk.after.of_class(KIDS, "held"))[0]
    proof = desk.proof(held)
    first = await desk.http.get(f"/c/{desk.after.campaign.id}/withdraw")
    assert 'lang="ja"' in first.text
    wrong = await desk.page(receipt=held["receipt"], pass_code="WRONG-CODE")
    assert wrong.status_code == 403
    assert "組合せが正しくありません" in wrong.text
    assert "WRONG-CODE" not in wrong.text
    own = await desk.page(**proof)
    assert (own.status_code, own.headers["cache-control"]) == (200, "no-store")
    assert "当選しています" in own.text
    asked = await desk.page(**proof, answer="withdraw", class_id=KIDS)
    assert "取り消せません" in asked.text
    assert [
        each["state"] for each in await desk.after.of_class(KIDS, "held", "gone") if each["_id"] == held["_id"]
    ] == ["held"]
    done = await desk.page(**proof, answer="withdraw", class_id=KIDS, sure="yes")
    assert "辞退を受け付けました" in done.text
    assert len(await desk.after.of_class(KIDS, "gone")) == 1
    again = await desk.page(**proof, answer="accept", class_id=KIDS)
    assert (again.status_code, bool(re.search("できませんでした", again.text))) == (409, True)
    assert (await desk.http.get("/en/c/no-such/withdraw")).status_code == 404
    assert (await desk.http.get("/withdraw")).headers["location"] == f"/c/{desk.after.campaign.id}/withdraw"
    large = await desk.http.post(f"/c/{desk.after.campaign.id}/withdraw", content=b"x" * 5000)
    assert large.status_code == 413
