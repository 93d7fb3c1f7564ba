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
from services.lottery.keys import LotteryKeys
from services.lottery.record.inclusion import check_proof
from services.lottery.verification.transcript_checks import verify_transcript
from shared.approvals import ApprovalKind
from shared.receipt_documents import roll_root, write_roll
from shared.staff_roles import Right
from shared.web import install_problems
from tests.support.chance import value_of
from tests.support.executed_approvals import approval_content, executed, reader_of_the_tests
from tests.support.lottery_harness import PEOPLE, Town, everybody_is_in
from tests.support.recorded_acts import read_acts
from tests.support.service_keys import keys_dir
from tests.support.staff_sign_in import sign_in_at, staff_access

OTS = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01\x08"


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
        office.store, town.clock, LotteryKeys(keys_dir()), campaigns, office.freezing, office.randomness,
        office.redrawing, office.later_rounds,
        reader_of_the_tests(),
    )  # fmt: skip
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


async def test_a_wrong_beacon_value_is_refused_with_its_reason_and_the_draw_still_waits(
    town: Town, staff: httpx.AsyncClient
):
    await staff.post("freeze", json={})
    early = await staff.post("beacon", json={"signature": "00" * 48})
    assert early.json()["type"] == "urn:kuji:problem:wrong-state"
    await town.office.enter_dice()
    beacon = (await town.office.draw()).manifest.beacon
    for value in ("00" * 48, "zz" * 48, value_of(beacon.round + 1)):
        answer = await staff.post("beacon", json={"signature": value})
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:kuji:problem:bad-randomness")
        shown = await got(staff, "draw")
        waits = [{"code": "beacon", "count": beacon.round, "until": beacon.at.isoformat()}]
        assert (shown["state"], shown["waiting_for"]) == ("frozen", waits)
    given = (await staff.post("beacon", json={"signature": value_of(beacon.round)})).json()["given"]
    assert [(one["source"], one["actor"]) for one in given] == [
        ("dice", "ward+auditor"),
        ("beacon_signature", "yamada"),
    ]
    draw = (await got(staff, "draw"))["draw"]
    assert await read_acts(town.office.store) == [("yamada", "freeze-list", draw), ("yamada", "enter-beacon", draw)]


async def test_hashes_of_photographs_of_the_dice_stand_in_the_transcript(town: Town, staff: httpx.AsyncClient):
    photograph = {"evidence": [f"sha256:{'ab' * 32}"]}
    assert (await staff.post("evidence", json=photograph)).json()["type"] == "urn:kuji:problem:wrong-state"
    await staff.post("freeze", json={})
    assert (await staff.post("evidence", json={"evidence": ["dice.jpg"]})).status_code == 422
    assert (await staff.post("evidence", json=photograph)).status_code == 200
    await town.office.enter_chance()
    await town.office.run()
    assert (await got(staff, "transcript"))["dice_evidence"] == photograph["evidence"]
    assert ("yamada", "attach-evidence", f"{town.campaign.id}-1") in await read_acts(town.office.store)


async def test_an_act_that_cannot_be_recorded_does_not_happen(town: Town, staff: httpx.AsyncClient):
    await staff.post("freeze", json={})
    with pytest.raises(ValidationError):
        await town.office.enter_chance(actor="no staff id")
    assert [given["source"] for given in (await got(staff, "draw"))["given"]] == ["dice"]
    assert [act for _, act, _ in await read_acts(town.office.store)] == ["freeze-list"]


async def test_a_draw_is_begun_anew_by_two_people_and_all_of_the_first_stays_at_its_address(
    town: Town, staff: httpx.AsyncClient
):
    await staff.post("freeze", json={})
    first = await got(staff, "manifest")
    assert (await staff.post("stamps", json=stamp_of(first["manifest"]))).json()["number"] == 1
    await town.office.enter_chance()
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
    for path in ("freeze", "evidence", "beacon", "redraw", "later-round", "stamps"):
        assert (await staff.post(path, json={})).status_code == 401
