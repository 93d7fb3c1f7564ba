"""Test the search for second applications on real servers: what is held, what the log says, what is stored."""

import json
from typing import Any

from services.vault.applications import pair_repository
from services.vault.applications.repository import COLLECTION
from shared.contracts import ApplicationsDecided, ApplicationsHeld, ContactsRegistered
from tests.support.identity_builders import content, written
from tests.support.vault_harness import CAMPAIGN, Installation
from tests.support.waiting import await_all

HELD = f"/v1/campaigns/{CAMPAIGN}/held"


def applicant(**changes: Any) -> bytes:
    """Return the content of the tests' applicant with some fields changed."""
    return written(content(applicant=content()["applicant"] | changes))


KANA = applicant(name="タカハシ イチロウ", phone="090-0000-0009")
OLD = applicant(name="高𣘺　一郎", address="歌舞伎町一丁目４番１号", email="other@gmail.example")
BROTHER = applicant(name="髙橋 二郎")
FATHER = applicant(age=70)


async def arrive(installation: Installation, key: Any, *contents: bytes) -> list[Any]:
    """Send applications one after the other; return their events."""
    events = [installation.received(key, each) for each in contents]
    for event in events:
        await installation.say(event)
        await installation.said_everything()
    return events


async def states(installation: Installation) -> dict[str, str]:
    """Return the state of each application."""
    return {row["_id"]: row["state"] async for row in installation.store.db[COLLECTION].find({})}


async def test_other_writings_of_one_person_wait_and_relatives_do_not(installation: Installation):
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        events = await arrive(installation, key, written(content()), KANA, OLD, BROTHER, FATHER)
        found = await states(installation)
        doubts = await installation.store.db[pair_repository.COLLECTION].find({}).to_list(None)
    assert [found[event.application_id] for event in events] == ["accepted", "held", "held", "accepted", "accepted"]
    assert len(doubts) == 3
    stored = json.dumps(doubts, default=str, ensure_ascii=False)
    for personal in (
        "橋",
        "タカハシ",
        "たかはし",
        "歌舞伎町",
        "0300000001",
        "gmail",
        *(e.application_id for e in events),
    ):
        assert personal not in stored


async def test_opening_the_candidates_is_one_line_of_the_audit_log(installation: Installation):
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        await arrive(installation, key, written(content()), BROTHER, KANA)
        lines = [json.loads(line) for line in (await http.get("/v1/audit")).json()["lines"]]
    searches = [line for line in lines if line["action"] == "search:batch"]
    assert [(line["subject"], line["purpose"], line["outcome"]) for line in searches] == [
        (None, "eligibility", "opened:1"),
        (None, "eligibility", "opened:2"),
    ]


async def test_two_writings_that_arrive_at_two_vaults_at_once_find_each_other(installation: Installation):
    async with installation.vault() as here, installation.vault():
        key = await installation.sealing_key(here)
        await await_all(
            *(installation.say(installation.received(key, each)) for each in (written(content()), KANA, OLD))
        )
        await installation.said_everything()
        found = await states(installation)
        doubts = await installation.store.db[pair_repository.COLLECTION].count_documents({})
    assert sorted(found.values()) == ["accepted", "held", "held"]
    assert doubts == 3


async def test_intake_and_notifier_learn_the_same_of_a_doubt_as_of_any_other(installation: Installation):
    """Attack: with their credentials, what tells that a person has applied before?"""
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        _, doubtful, control = await arrive(installation, key, written(content()), KANA, BROTHER)
        decided = await installation.newest("intake", ApplicationsDecided, 3)
        contacts = await installation.newest("notifier", ContactsRegistered, 3)
        held = await installation.items("lottery", ApplicationsHeld, 1)
    for answers in (decided, contacts):
        names = {"application_id", "receipt", "token"}
        assert answers[doubtful.receipt].model_dump(exclude=names) == answers[control.receipt].model_dump(exclude=names)
    assert set(held) == {doubtful.receipt}


async def test_a_rejected_second_writing_stands_once_the_first_is_withdrawn(installation: Installation):
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        first, second = await arrive(installation, key, written(content()), KANA)
        answer = await http.post(f"{HELD}/{second.application_id}", json={"decision": "reject", "reason": "duplicate"})
        withdrawal = content() | {"withdraw": True}
        gone = written({name: withdrawal[name] for name in ("v", "code", "withdraw")})
        await installation.say(installation.received(key, gone, application_id=first.application_id, version=2))
        await installation.said_everything()
        found = await states(installation)
    assert answer.json()["state"] == "rejected"
    assert (found[first.application_id], found[second.application_id]) == ("withdrawn", "accepted")
