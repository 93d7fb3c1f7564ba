"""Staff conduct a draw over HTTP and learn from errors what to do; the public reads its results."""

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from services.lottery.draw.endpoints import DrawServices, staff_router
from services.lottery.draw.public_endpoints import public_router
from services.lottery.draw.randomness_entry import Dice
from services.lottery.record.inclusion import check_proof
from services.lottery.verification.transcript_checks import verify_transcript
from shared.approvals import ApprovalKind
from shared.receipt_documents import roll_root, write_roll
from shared.staff_roles import Right
from shared.web import install_problems
from tests.support.draw_builders import DICE
from tests.support.executed_approvals import approval_content, executed, reader_of_the_tests
from tests.support.lottery_harness import PEOPLE, Town, everybody_is_in
from tests.support.recorded_acts import read_acts
from tests.support.staff_sign_in import sign_in_at, staff_access

OTS = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01\x08"
WIDE = DICE.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
"""Digits as a Japanese keyboard may type them."""


def dice(**changed: Any) -> dict[str, Any]:
    return {"digits": DICE, "digits_again": DICE, "witnesses": ["甲", "乙"], **changed}


def stamp_of(manifest: str, rest: bytes = b"") -> dict[str, str]:
    content = OTS + hashlib.sha256(manifest.encode()).digest() + rest
    return {"kind": "ots", "content": base64.b64encode(content).decode()}


@pytest.fixture
async def staff(town: Town, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client for the campaign's address, signed in as `yamada`."""
    office = town.office
    app, campaigns = FastAPI(), {town.campaign.id: town.campaign}
    install_problems(app)
    desk = DrawServices(
        office.store, town.clock, campaigns, office.freezing, office.randomness, office.redrawing, reader_of_the_tests()
    )
    access = staff_access("lottery", office.store, tmp_path)
    app.include_router(staff_router(desk, access.guard(Right.READ_DRAWS, Right.RUN_DRAWS)))
    app.include_router(public_router(office.published))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=f"http://lottery/v1/campaigns/{town.campaign.id}/",
        headers=await sign_in_at(office.store, "lottery", "yamada"),
    ) as client:
        await everybody_is_in(town)
        yield client


async def got(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


SLIPS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"digits_again": DICE[:-1] + "9"}, "the two typings of the digits differ"),
    ({"digits_again": DICE[1] + DICE[0] + DICE[2:]}, "the two typings of the digits differ"),
    ({"digits_again": f"{DICE} "}, "the two typings of the digits differ"),
    ({"digits": DICE[:-1], "digits_again": DICE[:-1]}, "40 digits are needed, 39 were typed"),
    ({"digits": DICE + "1", "digits_again": DICE + "1"}, "40 digits are needed, 41 were typed"),
    ({"digits": WIDE, "digits_again": WIDE}, "0 to 9"),
    ({"witnesses": ["甲", " 甲 "]}, "2 different witnesses must be named"),
    ({"witnesses": ["甲"]}, "2 different witnesses must be named"),
)


async def test_a_mistyped_value_is_refused_with_its_reason_and_the_draw_still_waits(
    town: Town, staff: httpx.AsyncClient
):
    await staff.post("freeze", json={})
    for slip, reason in SLIPS:
        answer = await staff.post("dice", json=dice(**slip))
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:kuji:problem:bad-randomness")
        assert reason in answer.json()["detail_en"]
        shown = await got(staff, "draw")
        assert (shown["state"], shown["waiting_for"], shown["given"]) == ("frozen", [{"code": "dice", "count": 40}], [])
    assert (await staff.post("dice", json=dice())).json()["given"][0]["actor"] == "yamada"
    assert (await staff.post("dice", json=dice())).json()["type"] == "urn:kuji:problem:wrong-state"
    draw = (await got(staff, "draw"))["draw"]
    assert await read_acts(town.office.store) == [("yamada", "freeze-list", draw), ("yamada", "enter-dice", draw)]


async def test_an_act_that_cannot_be_recorded_does_not_happen(town: Town, staff: httpx.AsyncClient):
    await staff.post("freeze", json={})
    with pytest.raises(ValidationError):
        await town.office.enter_dice(Dice(DICE, DICE, ["甲", "乙"]), "no staff id")
    assert (await got(staff, "draw"))["given"] == []
    assert [act for _, act, _ in await read_acts(town.office.store)] == ["freeze-list"]


async def test_a_draw_is_begun_anew_by_two_people_and_all_of_the_first_stays_at_its_address(
    town: Town, staff: httpx.AsyncClient
):
    await staff.post("freeze", json={})
    first = await got(staff, "manifest")
    assert (await staff.post("stamps", json=stamp_of(first["manifest"]))).json()["number"] == 1
    await staff.post("dice", json=dice())
    await town.office.run()
    transcript = await got(staff, "transcript")
    params = (await got(staff, "draw"))["approval_params"]["redraw"]
    approval = executed(approval_content(ApprovalKind.REDRAW, town.campaign.id, params, "yamada"))
    again = {"reason": "dice fell off the table", "approval": approval}
    assert (await staff.post("redraw", json=again)).json()["number"] == 2
    await town.office.finish()
    second = await got(staff, "manifest")
    previous = json.loads(second["manifest"])["previous"]
    assert (previous["actor"], previous["approved_by"], "staff" in previous) == ("handler", "handler", False)
    assert not {"yamada", approval["id"]} & set(re.findall(r"[\w-]+", second["manifest"]))
    assert await got(staff, "draws/1/manifest") == first
    assert await got(staff, "draws/1/transcript") == transcript
    assert verify_transcript(transcript).passed
    stamp = base64.b64decode(stamp_of(first["manifest"])["content"])
    assert (await staff.get("draws/1/stamps/1")).content == stamp
    assert (await got(staff, "draws/1/stamps"))["stamps"][0]["kind"] == "ots"
    assert (await got(staff, "stamps"))["stamps"] == []
    assert [each["state"] for each in (await got(staff, "draws"))["draws"]] == ["drawn", "frozen"]
    assert (await staff.get("transcript")).status_code == (await staff.get("draws/3/manifest")).status_code == 404


async def test_stamps_are_numbered_and_one_sent_twice_is_kept_once(staff: httpx.AsyncClient):
    assert (await staff.post("stamps", json=stamp_of("{}"))).status_code == 404
    await staff.post("freeze", json={})
    manifest = (await got(staff, "manifest"))["manifest"]
    for rest, number in ((b"a", 1), (b"b", 2), (b"a", 1)):
        answer = await staff.post("stamps", json=stamp_of(manifest, rest))
        assert (answer.status_code, answer.json()["number"]) == (201, number)
    wrong = await staff.post("stamps", json=stamp_of(manifest + " "))
    assert wrong.json()["type"] == "urn:kuji:problem:bad-stamp"
    assert [each["number"] for each in (await got(staff, "stamps"))["stamps"]] == [1, 2]
    assert (await staff.get("stamps/2")).content.endswith(b"b")


async def test_the_public_reads_the_list_its_proofs_and_counts_without_a_secret(town: Town, staff: httpx.AsyncClient):
    tried = await got(staff, "dry-run")
    await staff.post("freeze", json={})
    del staff.headers["Cookie"]
    manifest = json.loads((await got(staff, "manifest"))["manifest"])
    assert (await staff.get("rows")).text.count("\n") == manifest["rows"] == tried["entries"] == PEOPLE
    roll = (await staff.get("roll")).text
    assert roll == write_roll(applicant.closed().line for applicant in town.people)
    assert manifest["receipts"] == {"count": PEOPLE, "root": roll_root(roll)}
    proof = await got(staff, f"entries/{town.people[0].entry}/proof")
    assert check_proof(proof, manifest["root"]) is True
    assert check_proof(await got(staff, f"entries/{'0' * 32}/proof"), manifest["root"]) is False
    assert (await staff.get(f"receipts/{town.people[0].receipt}/proof")).status_code == 404
    for path in ("draw", "dry-run", "outcomes", "summary"):
        assert (await staff.get(path)).status_code == 401
    for path in ("freeze", "dice", "beacon", "redraw", "stamps"):
        assert (await staff.post(path, json={})).status_code == 401
