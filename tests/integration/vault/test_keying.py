"""Two people key each paper without seeing each other's values, and a third resolves (R-B5); attacks on that rule."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.vault.keys.keystore import KeyDestroyedError
from services.vault.papers import counts_repository, draft_repository
from services.vault.papers.keying_repository import KEYINGS, StoredKeying
from services.vault.papers.sandbox import PNG, start_process
from shared.contracts import ApplicationsRejected
from shared.ids import CampaignId
from shared.staff_roles import Role
from tests.support.desk_harness import BOSS, FIRST, PAPERS, SECOND, THIRD, Desk, form, opened
from tests.support.vault_parts import CAMPAIGN


@pytest.fixture
async def desk(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(mongo_url, namespace, tmp_path) as office:
        yield office


async def test_two_who_agree_settle_a_paper_and_neither_saw_the_others_value(desk: Desk):
    first, second, _ = [await desk.person(name) for name in (FIRST, SECOND, THIRD)]
    paper = await desk.paper()
    for handler, look in ((first, "first"), (second, "second")):
        handed = await handler.take()
        assert handed is not None
        assert (handed["id"], handed["look"], handed["versions"], handed["open"]) == (paper, look, [], None)
        answer = await handler.key(paper, form(name="髙橋　一郎" if handler is first else "髙橋一郎"))
        assert (answer.status_code, answer.json()["state"]) == (200, "waiting" if handler is first else "keyed")
        assert "髙橋" not in answer.text
        assert (await desk.settled() == []) == (handler is first)
    [settled] = await desk.settled()
    assert (settled.paper_id, settled.state, len(settled.applications)) == (paper, "keyed", 1)
    assert await desk.vault.store.db[KEYINGS].count_documents({}) == 0
    assert await desk.actions() == [
        f"{FIRST} show-paper shown first",
        f"{FIRST} key-paper:first keyed",
        f"{SECOND} show-paper shown second",
        f"{SECOND} key-paper:second keyed",
        f"{SECOND} paper:keyed agreed",
    ]


@pytest.mark.parametrize("body", [{}, {"tab": None}], ids=["page", "program"])
async def test_one_person_cannot_key_a_paper_twice_nor_settle_it_alone(desk: Desk, body: dict[str, Any]):
    first, _, _ = [await desk.person(name) for name in (FIRST, SECOND, THIRD)]
    paper = await desk.paper()
    assert (await first.key(paper, form(), **body)).json()["state"] == "waiting"
    again = await desk.person(FIRST)
    assert (await again.key(paper, form(), **body)).json()["state"] == "waiting"
    for attempt in (form(name="別の人"), form(phone="0312345678")):
        answer = await again.key(paper, attempt, **body)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:kuji:problem:already-keyed")
    discard = {"decision": "discarded", "applications": (), "reason": "blank", **body}
    assert (await again.key(paper, **discard)).status_code == 409
    assert await again.take() is None
    assert await desk.settled() == []
    assert await desk.vault.said(ApplicationsRejected) == []
    assert await desk.vault.store.db[draft_repository.COLLECTION].count_documents({}) == 0


async def test_one_run_of_the_decoder_serves_picture_and_fields_of_both_keyings(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    runs = list[tuple[str, ...]]()

    async def counted(*arguments: str) -> asyncio.subprocess.Process:
        runs.append(arguments)
        return await start_process(*arguments)

    monkeypatch.setattr("services.vault.papers.sandbox.start_process", counted)
    paper, seen = await desk.paper(), list[tuple[bytes, dict[str, Any]]]()
    handlers = [await desk.person(name) for name in (FIRST, SECOND, THIRD)]
    for handler in handlers[:2]:
        assert await handler.take() is not None
        get, tab = handler.client.get, {"tab": handler.tab}
        picture, fields = await asyncio.gather(
            get(f"{PAPERS}/{paper}/pages/0", params=tab), get(f"{PAPERS}/{paper}/fields", params=tab)
        )
        seen.append((picture.content, fields.json()["fields"]))
        await handler.key(paper, form())
        assert (await get(f"{PAPERS}/{paper}/pages/0", params=tab)).status_code == 409
    assert [arguments[0] for arguments in runs] == ["first"]
    assert seen[0] == seen[1]
    assert seen[0][0].startswith(PNG)
    assert "name" in seen[0][1]


async def test_a_third_person_resolves_the_fields_that_differ_and_no_other(desk: Desk):
    first, second, third = [await desk.person(name) for name in (FIRST, SECOND, THIRD)]
    paper = await desk.paper()
    await first.key(paper, form(name="高橋一郎"))
    await second.key(paper, form(name="髙橋一郎", phone="03-5273-4073"))
    assert await desk.settled() == []
    for keyer in (first, second):
        assert await keyer.take() is None
        assert (await keyer.key(paper, form(name="髙橋一郎"))).status_code == 409
    handed = await third.take()
    assert handed is not None
    assert (handed["look"], handed["open"]) == ("third", [[0, "name"], [0, "phone"]])
    names = {version["applications"][0]["applicant"]["name"] for version in handed["versions"]}
    assert names == {"高橋一郎", "髙橋一郎"}
    assert not {FIRST, SECOND} & set(str(handed).split("'"))
    changed = await third.key(paper, form(name="髙橋一郎", address="東京都新宿区西新宿9-9-9"))
    assert (changed.status_code, changed.json()["type"]) == (409, "urn:kuji:problem:agreed-changed")
    discard = await third.key(paper, decision="discarded", applications=(), reason="blank")
    assert discard.json()["type"] == "urn:kuji:problem:agreed-changed"
    assert (await third.key(paper, form(name="髙橋一郎", phone="0352734073"))).json()["state"] == "keyed"
    assert (await desk.actions())[-1] == f"{THIRD} paper:keyed resolved"
    counts = {one.by: one for one in await counts_repository.CountsRepository(desk.vault.store).of_campaign(CAMPAIGN)}
    phone = 1 if form()["applicant"]["phone"] != "0352734073" else 0
    assert counts[FIRST].errors == {"name": 1} | ({"phone": 1} if phone else {})
    assert counts[SECOND].errors == {}
    assert (counts[FIRST].papers, counts[FIRST].fields) == (1, 7)


async def test_with_two_people_the_responsible_handler_resolves_and_the_record_says_so(desk: Desk):
    handler, boss = await desk.person(FIRST), await desk.person(BOSS, {Role.RESPONSIBLE})
    paper = await desk.paper()
    await boss.key(paper, form(name="高橋一郎"))
    await handler.key(paper, form(name="髙橋一郎"))
    assert await handler.take() is None
    assert (await handler.key(paper, form(name="髙橋二郎"))).status_code == 409
    handed = await boss.take()
    assert handed is not None
    assert handed["look"] == "third"
    assert (await boss.key(paper, form(name="髙橋一郎"))).json()["state"] == "keyed"
    assert (await desk.actions())[-1] == f"{BOSS} paper:keyed by-responsible"


async def test_one_person_alone_keys_once_and_the_record_says_so(desk: Desk):
    handler = await desk.person(FIRST)
    assert (await handler.key(await desk.paper(), form())).json()["state"] == "keyed"
    assert (await desk.actions())[-1] == f"{FIRST} paper:keyed once"


async def test_a_campaign_may_have_papers_keyed_once(mongo_url: str, namespace: str, tmp_path: Path):
    async with opened(mongo_url, namespace, tmp_path, "once") as desk:
        first, _ = await desk.person(FIRST), await desk.person(SECOND)
        assert (await first.key(await desk.paper(), form())).json()["state"] == "keyed"


async def test_two_browsers_never_hold_one_paper_and_it_returns_after_ten_minutes(desk: Desk):
    first, second, _ = [await desk.person(name) for name in (FIRST, SECOND, THIRD)]
    paper, other = await desk.paper(), await desk.paper()
    handed = await first.take()
    ahead = await first.take(paper)
    assert handed is not None
    assert ahead is not None
    assert (handed["id"], ahead["id"]) == (paper, other)
    assert await second.take() is None
    assert await first.take(tab="another-tab") is None
    assert (await second.key(paper, form())).json()["type"] == "urn:kuji:problem:held"
    assert (await second.client.get(f"{PAPERS}/{paper}/pages/0", params={"tab": first.tab})).status_code == 409
    assert (await first.client.get(f"{PAPERS}/{paper}/pages/0", params={"tab": first.tab})).status_code == 200
    desk.vault.clock.at += timedelta(minutes=9, seconds=59)
    assert await second.take() is None
    desk.vault.clock.at += timedelta(seconds=1)
    taken = await second.take()
    assert taken is not None
    assert taken["id"] == paper
    assert (await first.key(paper, form())).json()["type"] == "urn:kuji:problem:held"


async def test_a_field_that_cannot_be_read_goes_to_a_third_person_who_fills_it_in_or_discards(desk: Desk):
    first, second, third = [await desk.person(name) for name in (FIRST, SECOND, THIRD)]
    filled, discarded = await desk.paper(), await desk.paper()
    for paper in (filled, discarded):
        for keyer in (first, second):
            answer = await keyer.key(paper, form(phone=None), marks=[{"phone": "unreadable"}])
            assert answer.json()["state"] == "waiting"
    handed = await third.take()
    assert handed is not None
    assert handed["open"] == [[0, "phone"]]
    left = await third.key(filled, form(phone=None), marks=[{"phone": "unreadable"}])
    assert (left.status_code, left.json()["reasons"]) == (422, ["unreadable"])
    assert (await third.key(filled, form())).json()["state"] == "keyed"
    answer = await third.key(discarded, decision="discarded", applications=(), reason="unreadable")
    assert answer.json()["state"] == "discarded"
    [verdict] = await desk.vault.said(ApplicationsRejected)
    assert "unreadable" not in str(verdict)


async def test_keyings_that_differ_in_number_are_resolved_as_a_whole(desk: Desk):
    first, second, third = [await desk.person(name) for name in (FIRST, SECOND, THIRD)]
    paper = await desk.paper()
    await first.key(paper, form(), form(name="髙橋二郎"))
    await second.key(paper, decision="discarded", applications=(), reason="blank")
    handed = await third.take()
    assert handed is not None
    assert handed["open"] is None
    assert (await third.key(paper, form(), form(name="髙橋二郎"))).json()["state"] == "keyed"
    [settled] = await desk.settled()
    assert len(settled.applications) == 2


async def test_only_people_with_the_right_to_key_take_look_at_or_key_a_paper(desk: Desk):
    await desk.person(FIRST)
    paper = await desk.paper()
    others = frozenset(Role) - {Role.HANDLER, Role.RESPONSIBLE}
    outsider = await desk.person("ono-01", others)
    refused = [
        await outsider.client.post(f"{PAPERS}/next", json={"tab": outsider.tab}),
        await outsider.key(paper, form()),
        await outsider.client.get(f"{PAPERS}/{paper}/pages/0", params={"tab": outsider.tab}),
    ]
    outsider.client.headers.pop("Cookie")
    outsider.client.headers["Authorization"] = "Bearer paper-token-of-intake"
    signed_out = await outsider.key(paper, form())
    assert [answer.status_code for answer in (*refused, signed_out)] == [403, 403, 403, 401]
    assert await desk.settled() == []


async def test_a_keying_is_stored_encrypted_and_dies_with_the_campaigns_key(desk: Desk):
    first, _ = await desk.person(FIRST), await desk.person(SECOND)
    await first.key(await desk.paper(), form(name="髙橋一郎"))
    stolen = await desk.vault.store.db[KEYINGS].find_one({})
    assert stolen is not None
    assert "髙橋" not in str(stolen)
    assert b"\xe9\xab\x99" not in stolen["ciphertext"]
    keying = StoredKeying.from_document(stolen)
    assert keying.decrypt(desk.vault.keys).sheets[0].form["applicant"]["name"] == "髙橋一郎"
    desk.vault.keystore.destroy_campaign_key(CampaignId(CAMPAIGN))
    with pytest.raises(KeyDestroyedError):
        keying.decrypt(desk.vault.keys)
