"""Reception over HTTP on a real database: what devices send in any order and how often, counts once, and stays."""

import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.lottery.draw.collections import DRAWS
from services.lottery.reception import noshows
from services.lottery.reception import repository as reception
from services.lottery.reception.records import StoredScan
from services.lottery.reception.repository import ErasedError, ReceptionRepository
from services.lottery.reception.rules.attendance import Scan
from shared.storage import UnitOfWork
from tests.support.reception_harness import FOOD, FOOTBALL, Guest, ReceptionHarness, run_reception
from tests.support.recorded_acts import read_acts
from tests.support.waiting import await_all


@pytest.fixture
async def harness(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[ReceptionHarness]:
    async with run_reception(mongo_url, f"{namespace}_lottery", tmp_path) as opened:
        yield opened


@pytest.fixture
async def releasing(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[ReceptionHarness]:
    async with run_reception(mongo_url, f"{namespace}_lottery", tmp_path, release=True) as opened:
        yield opened


class Device:
    """One device as the office sees it."""

    def __init__(self, harness: ReceptionHarness, name: str) -> None:
        transport = httpx.ASGITransport(harness.app())
        self.http = httpx.AsyncClient(transport=transport, base_url="http://lottery", headers=harness.staff, timeout=20)
        self.harness, self.name, self.cursor = harness, name, 0
        self.base = f"/v1/campaigns/{harness.campaign.id}/reception"

    def scan(self, guest: Guest, class_id: str = FOOTBALL, at: datetime | None = None, **more: Any) -> dict[str, Any]:
        by_receipt = {"receipt": guest.receipt, "compared": True}
        shown = by_receipt if more.pop("by_receipt", False) else {"pass": guest.passes.get(class_id)}
        when = (at or self.harness.clock.now()).isoformat()
        return {"id": str(uuid.uuid4()), "at": when, "class_id": class_id, **shown, **more}

    def by_code(self, guest: Guest, proof: str) -> dict[str, Any]:
        """Return a reading of entry number and code."""
        scan = {**self.scan(guest, by_receipt=True), "entry": guest.entry, "proof": proof}
        return {name: value for name, value in scan.items() if name not in {"receipt", "compared"}}

    async def send(self, *scans: dict[str, Any]) -> dict[str, Any]:
        body = {"device": self.name, "since": self.cursor, "scans": scans}
        answer = await self.http.post(f"{self.base}/scans", json=body)
        assert answer.status_code == 200, answer.text
        response: dict[str, Any] = answer.json()
        self.cursor = response["cursor"]
        return response

    async def codes(self, *scans: dict[str, Any]) -> list[str]:
        verdicts = (await self.send(*scans))["verdicts"]
        return [verdicts[each["id"]]["code"] for each in scans]

    async def of_class(self, class_id: str = FOOTBALL) -> dict[str, Any]:
        counted = (await self.http.get(f"{self.base}/attendance")).json()["classes"]
        return next(each for each in counted if each["id"] == class_id)


async def test_the_roster_names_places_and_no_person_and_is_sent_once_while_it_stays(harness: ReceptionHarness):
    winner = await harness.guest(junior_football="won", press_kids="lost")
    waiting = await harness.guest(junior_football="waiting", parent_child_food="won")
    device = Device(harness, "A-00000001")
    answer = await device.http.get(f"{device.base}/roster")
    assert sorted(answer.json()["places"]) == sorted([
        [winner.entry, winner.receipt, 1, 1, "held", None, None, winner.applicant.digest],
        [waiting.entry, waiting.receipt, 1, 1, "waiting", None, None, waiting.applicant.digest],
        [waiting.entry, waiting.receipt, 7, 2, "held", None, None, waiting.applicant.digest],
    ])  # fmt: skip
    assert "tok_" not in answer.text
    again = await device.http.get(f"{device.base}/roster", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_only_staff_may_read_and_write(harness: ReceptionHarness):
    device = Device(harness, "A-00000001")
    for path in ("roster", "attendance"):
        answer = await device.http.get(f"{device.base}/{path}", headers={"Cookie": "kuji-session=wrong"})
        assert answer.status_code == 401


async def test_a_scan_sent_twice_and_by_two_processes_at_once_counts_once(harness: ReceptionHarness):
    guest = await harness.guest(junior_football="won")
    device, twin = Device(harness, "A-00000001"), Device(harness, "A-00000001")
    scan = device.scan(guest)
    await await_all(device.send(scan), twin.send(scan), device.send(scan))
    assert (await device.of_class())["people"] == 1
    assert await harness.store.db[reception.SCANS].count_documents({}) == 1


async def test_devices_that_were_alone_see_each_others_scans_when_they_meet_and_both_records_stay(
    harness: ReceptionHarness,
):
    guest = await harness.guest(junior_football="won")
    one, other = Device(harness, "A-00000001"), Device(harness, "B-00000002")
    now = harness.clock.now()
    earlier, later = one.scan(guest, at=now - timedelta(minutes=9)), other.scan(guest, at=now - timedelta(minutes=2))
    assert await other.codes(later) == ["admitted"]
    assert await one.codes(earlier) == ["admitted"]
    response = await other.send()
    assert [each["id"] for each in response["scans"]] == [earlier["id"]]
    assert await other.codes(later) == ["again"]
    counted = (await one.http.get(f"{one.base}/attendance")).json()
    assert [(each["code"], each["device"], each["first_device"]) for each in counted["conflicts"]] == [
        ("again", "B-00000002", "A-00000001")
    ]
    assert await harness.store.db[reception.SCANS].count_documents({}) == 2


async def test_a_pair_may_come_one_by_one_and_whoever_forgot_the_pass_says_the_receipt_number(
    harness: ReceptionHarness,
):
    harness.clock.at += timedelta(minutes=30)
    guest = await harness.guest(parent_child_food="won")
    device = Device(harness, "A-00000001")
    first, second = device.scan(guest, FOOD), device.scan(guest, FOOD, by_receipt=True)
    assert await device.codes(first) == ["admitted"]
    counted = await device.of_class(FOOD)
    assert (counted["people"], counted["partial"], counted["complete"]) == (1, 1, 0)
    assert await device.codes(second) == ["admitted"]
    assert (await device.of_class(FOOD))["complete"] == 1
    assert await device.codes(device.scan(guest, FOOD, undoes=second["id"], by_receipt=True)) == ["undo"]
    assert (await device.of_class(FOOD))["people"] == 1


async def test_a_bare_receipt_number_admits_nobody_and_a_right_code_always_does(harness: ReceptionHarness):
    guest, other = [await harness.guest(junior_football="won") for _ in range(2)]
    device = Device(harness, "A-00000001")
    bare = {**device.scan(guest, by_receipt=True), "compared": False}
    assert await device.codes(bare) == ["compare"]
    assert (await device.of_class())["people"] == 0
    wrong = [device.by_code(guest, other.applicant.proof) for _ in range(40)]
    assert set(await device.codes(*wrong)) == {"wrong-code"}
    assert await device.codes(device.by_code(guest, guest.applicant.proof)) == ["admitted"]
    assert await device.codes(device.scan(other, by_receipt=True)) == ["admitted"]
    stored = await harness.store.db[reception.SCANS].distinct("by")
    assert sorted(stored) == ["code", "name", "receipt"]


async def test_every_rule_is_applied_again_to_what_was_scanned_offline(harness: ReceptionHarness):
    guest = await harness.guest(junior_football="won", press_kids="waiting")
    stranger = Guest(guest.applicant, {FOOTBALL: f"KP1:{'A' * 160}"})
    device = Device(harness, "A-00000001")
    scans = [
        device.scan(stranger),
        device.scan(guest, "press-kids", by_receipt=True),
        device.scan(guest, "adult-running", by_receipt=True),
        device.scan(guest, desk="press-kids"),
        device.scan(guest, at=harness.starts - timedelta(hours=7)),
        device.scan(guest, at=harness.starts + timedelta(days=9)),
    ]
    assert await device.codes(*scans) == ["forged", "not-held", "unknown", "other-class", "early", "admitted"]
    shown = await harness.store.db[reception.SCANS].find_one({"_id": scans[-1]["id"]})
    assert shown is not None
    assert shown["at"] == harness.clock.now(), "a clock that runs ahead is put right"


async def test_no_shows_are_counted_once_at_their_time_and_released_only_where_the_campaign_says_so(
    releasing: ReceptionHarness,
):
    harness = releasing
    came, absent = [await harness.guest(junior_football="won") for _ in range(2)]
    device = Device(harness, "A-00000001")
    await device.send(device.scan(came))
    harness.clock.at = harness.starts + timedelta(minutes=16)
    await harness.no_shows.count_what_is_due(harness.campaign)
    assert (await device.of_class())["waits_for_devices"] == ["A-00000001"], "nothing is given away behind its back"
    assert harness.released == []
    await device.send()
    for _ in range(2):
        await await_all(*(harness.no_shows.count_what_is_due(harness.campaign) for _ in range(2)))
    assert harness.released == [(absent.entry, FOOTBALL)]
    counted = await device.of_class()
    assert (counted["no_shows"], counted["released"], counted["seats"]) == (1, 1, 1)
    harness.clock.at += timedelta(minutes=1)
    assert await device.codes(device.scan(absent)) == ["gone"]
    before = device.scan(absent, at=harness.starts + timedelta(minutes=3))
    assert await device.codes(before) == ["conflict"], "whoever was let in before the place went is in"


async def test_a_device_that_will_not_come_back_is_set_aside_by_staff(harness: ReceptionHarness):
    await harness.guest(junior_football="won")
    device = Device(harness, "A-00000001")
    await device.send()
    await device.send()
    harness.clock.at = harness.starts + timedelta(minutes=16)
    answer = await device.http.post(f"{device.base}/devices/A-00000001/set-aside")
    assert answer.status_code == 200
    await harness.no_shows.count_what_is_due(harness.campaign)
    assert (await device.of_class())["no_shows"] == 1
    acts = [(act, case) for _, act, case in await read_acts(harness.store)]
    assert acts == [("use-device", "A-00000001"), ("set-device-aside", "A-00000001")]
    assert harness.released == [], "the sample keeps places for people who come late"


async def test_a_release_that_dies_half_way_is_finished_and_gives_no_place_up_twice(
    releasing: ReceptionHarness, monkeypatch: pytest.MonkeyPatch
):
    harness = releasing
    monkeypatch.setattr(noshows, "RELEASED_AT_ONCE", 2)
    came, *absent = [await harness.guest(junior_football="won") for _ in range(6)]
    device = Device(harness, "A-00000001")
    await device.send(device.scan(came))
    harness.clock.at = harness.starts + timedelta(minutes=16)
    await device.send()
    harness.dies_after = 3
    await harness.no_shows.count_what_is_due(harness.campaign)
    with pytest.raises(ConnectionError):
        await harness.no_shows.count_what_is_due(harness.campaign)
    assert (await device.of_class())["released"] == 5, "for the desk they are given up from the set time on"
    harness.dies_after = None
    await harness.no_shows.count_what_is_due(harness.campaign)
    assert sorted(harness.released[:2] + harness.released[3:]) == sorted((each.entry, FOOTBALL) for each in absent)


async def test_where_nobody_was_scanned_nothing_is_released(releasing: ReceptionHarness):
    await releasing.guest(junior_football="won")
    releasing.clock.at = releasing.starts + timedelta(minutes=16)
    await releasing.no_shows.count_what_is_due(releasing.campaign)
    await releasing.no_shows.count_what_is_due(releasing.campaign)
    counted = await Device(releasing, "A-00000001").of_class()
    assert (counted["no_shows"], counted["released"], releasing.released) == (1, 0, [])


async def test_a_scan_on_its_way_while_the_campaign_is_being_erased_is_not_kept(harness: ReceptionHarness):
    guest = await harness.guest(junior_football="won")
    device = Device(harness, "A-00000001")
    kept = StoredScan(
        Scan("s", device.name, harness.clock.now(), FOOTBALL),
        f"{guest.entry}/{FOOTBALL}",
        "pass",
        "sato",
        harness.clock.now(),
    )

    async def work(uow: UnitOfWork) -> None:
        await uow.db[reception.SCANS].find_one({}, session=uow.session)
        await harness.store.db[DRAWS].update_one({}, {"$set": {"erasure": {"id": "e1", "state": "requested"}}})
        await ReceptionRepository(uow).add_scans(harness.campaign.id, [kept])

    with pytest.raises(ErasedError):
        await harness.store.transact(work)
    assert await harness.store.db[reception.SCANS].count_documents({}) == 0


async def test_after_erasure_devices_are_ordered_to_wipe_and_no_data_comes_back(harness: ReceptionHarness):
    guest = await harness.guest(junior_football="won")
    device = Device(harness, "A-00000001")
    await harness.store.db[DRAWS].update_one({}, {"$set": {"erasure": {"id": "e1", "state": "requested"}}})
    body = {"device": device.name, "since": 0, "scans": [device.scan(guest)]}
    answers = [
        await device.http.get(f"{device.base}/roster"),
        await device.http.post(f"{device.base}/scans", json=body),
    ]
    assert [each.status_code for each in answers] == [410, 410]
    assert await harness.store.db[reception.SCANS].count_documents({}) == 0


@pytest.mark.parametrize(
    "wrong",
    [{"pass": None}, {"receipt": "W-7K3M-9Q2P-6"}, {"people": 21}, {"at": "2018-06-09T10:00:00"}, {"name": "髙﨑"}],
)
async def test_what_has_another_shape_is_refused_whole(harness: ReceptionHarness, wrong: dict[str, Any]):
    device = Device(harness, "A-00000001")
    scan = device.scan(await harness.guest(junior_football="won")) | wrong
    body = {"device": device.name, "since": 0, "scans": [scan]}
    assert (await device.http.post(f"{device.base}/scans", json=body)).status_code == 422
