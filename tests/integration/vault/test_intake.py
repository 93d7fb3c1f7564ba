"""Test processing from sealed bytes to verdicts: each published once, with the members that a service may know."""

import json
from datetime import timedelta

from deploy.demo.people import needles, population
from shared.contracts import (
    ApplicationsAccepted,
    ApplicationsDecided,
    ApplicationsRejected,
    ContactsRegistered,
    SealingKeyPublished,
)
from shared.encoding import b64url
from shared.ids import KeyId, new_event_id
from tests.support.identity_builders import content, written
from tests.support.vault_harness import CAMPAIGN, Installation
from tests.support.waiting import await_all

PAIRS = 25


def somebody(number: int) -> bytes:
    """Return the plaintext of another adult, whose choices are allowed."""
    applicant = content()["applicant"] | {"name": f"佐藤 {number}郎", "phone": f"03-0001-{number:04d}"}
    return written(content() | {"applicant": applicant})


async def test_a_sealed_application_becomes_an_entry_a_contact_and_a_status(installation: Installation):
    async with installation.vault() as http:
        event = installation.received(await installation.sealing_key(http), written(content()))
        await installation.say(event)
        decided = await installation.items("intake", ApplicationsDecided, 1)
        accepted = await installation.items("lottery", ApplicationsAccepted, 1)
        contacts = await installation.items("notifier", ContactsRegistered, 1)
    assert (decided[event.receipt].status, decided[event.receipt].revision) == ("complete", 1)
    entry, contact = accepted[event.receipt], contacts[event.receipt]
    assert [(choice.class_id, choice.seats) for choice in entry.choices] == [("adult-running", 1)]
    assert contact.token == entry.token
    assert (contact.contact, contact.mail_domain_class, contact.status) == ("mail", "gmail", "complete")
    assert contact.receipt == event.receipt


async def test_many_people_get_the_verdicts_that_the_rules_give_them(installation: Installation):
    everybody = population(installation.campaign, seed=7, size=200, canary="zqxj7k")
    people = [each for each in everybody if each.channel == "web" and not each.twin]
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        events = [installation.received(key, each.plaintext, application_id=each.application_id) for each in people]
        later = [
            installation.received(key, plaintext, application_id=each.application_id, version=version)
            for each in people
            for version, plaintext in enumerate(each.later, start=2)
        ]
        await installation.say(*events, *later)
        await installation.said_everything()
        decided = await installation.newest("intake", ApplicationsDecided, len(people))
        notified = {event.receipt for event, each in zip(events, people, strict=True) if each.expected.readable}
        contacts = await installation.newest_contacts(len(notified))
        lines = (await http.get("/v1/audit")).json()["lines"]
        stored = await installation.everything_stored()
        summary = (await http.get(f"/v1/campaigns/{CAMPAIGN}/summary")).json()
    for event, each in zip(events, people, strict=True):
        verdict = decided[event.receipt]
        assert (verdict.status, set(verdict.reasons)) == (each.expected.own_status, each.expected.own_reasons)
    assert set(contacts) == notified
    assert len({contact.token for contact in contacts.values()}) == len(notified)
    done = {(line["action"], line["purpose"]) for line in map(json.loads, lines)}
    assert done == {("open", "intake"), ("search:batch", "eligibility")}
    assert len(lines) >= len(people)
    assert sum(summary["applications"].values()) == len(people)
    for needle in needles(people, "zqxj7k"):
        assert needle.encode() not in stored


async def test_an_event_delivered_twice_is_handled_once(installation: Installation):
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        event, event_id = installation.received(key, somebody(1)), new_event_id()
        await installation.say(event, event, event_ids=[event_id, event_id])
        await installation.say(event, event_ids=[event_id])
        await installation.say(installation.received(key, somebody(2)))
        decided = await installation.items("intake", ApplicationsDecided, 2)
        await installation.said_everything()
        assert len(await installation.items("intake", ApplicationsDecided, 2)) == len(decided) == 2


async def test_a_replay_of_the_same_sealed_bytes_changes_nothing(installation: Installation):
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        event = installation.received(key, somebody(1))
        await installation.say(event)
        await installation.items("intake", ApplicationsDecided, 1)
        await installation.say(event)
        await installation.say(installation.received(key, somebody(2)))
        assert len(await installation.items("intake", ApplicationsDecided, 2)) == 2
        await installation.said_everything()
        assert set(await installation.items("lottery", ApplicationsAccepted, 2)) >= {event.receipt}


async def test_a_replay_under_another_id_does_not_open(installation: Installation):
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        event = installation.received(key, somebody(1))
        copied = installation.received(key, b"{}", sealed=event.sealed)
        await installation.say(event, copied)
        decided = await installation.items("intake", ApplicationsDecided, 2)
    assert decided[event.receipt].status == "complete"
    assert (decided[copied.receipt].status, decided[copied.receipt].reasons) == (
        "rejected",
        ("malformed",),
    )


async def test_what_does_not_open_is_rejected_and_leaves_no_person_behind(installation: Installation):
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        events = [
            installation.received(key, b"", sealed=b64url(bytes(2000))),
            installation.received(key, b"", sealed=""),
            installation.received(key, somebody(1), key_id=KeyId("nobody")),
            installation.received(key, b"not json"),
        ]
        await installation.say(*events)
        rejected = await installation.items("lottery", ApplicationsRejected, len(events))
        await installation.said_everything()
        assert await installation.store.db["identities"].count_documents({}) == 0
        assert await installation.event_ids("notifier", ContactsRegistered) == []
    assert {item.reasons for item in rejected.values()} == {("malformed",)}


async def test_the_same_person_at_two_vaults_at_once_is_accepted_once_and_superseded_once(installation: Installation):
    """Compare the newest verdicts: where the later one is judged first, it gives way once the earlier one is judged."""
    async with installation.vault() as http, installation.vault():
        key = await installation.sealing_key(http)
        pairs = [
            (installation.received(key, somebody(number)), installation.received(key, somebody(number)))
            for number in range(PAIRS)
        ]
        await await_all(*(installation.say(*pair) for pair in pairs))
        await installation.said_everything()
        decided = await installation.newest("intake", ApplicationsDecided, 2 * PAIRS)
        superseded = await installation.newest("lottery", ApplicationsRejected, PAIRS)
        accepted = await installation.newest("lottery", ApplicationsAccepted, PAIRS)
    given_way = {
        receipt
        for receipt, item in superseded.items()
        if receipt not in accepted or item.revision > accepted[receipt].revision
    }
    stand = set(accepted) - given_way
    for one, other in pairs:
        assert {one.receipt in stand, other.receipt in stand} == {True, False}
        assert {one.receipt in given_way, other.receipt in given_way} == {True, False}
    assert {verdict.status for verdict in decided.values()} == {"complete"}
    assert {superseded[receipt].verdict for receipt in given_way} == {"superseded"}


async def test_a_rejected_application_does_not_stand_in_the_way_of_a_right_one(installation: Installation):
    wrong = written(content(choices=[{"class": "junior-football", "seats": 1}]))
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        first = installation.received(key, wrong)
        await installation.say(first)
        await installation.items("intake", ApplicationsDecided, 1)
        second = installation.received(key, written(content()))
        await installation.say(second)
        decided = await installation.items("intake", ApplicationsDecided, 2)
    assert decided[first.receipt].status == "rejected"
    assert decided[second.receipt].status == "complete"


async def test_intake_and_lottery_learn_no_more_than_they_may(installation: Installation):
    wanted = [{"class": "junior-football", "seats": 1}, {"class": "adult-running", "seats": 1}]
    async with installation.vault() as http:
        await installation.say(
            installation.received(await installation.sealing_key(http), written(content(choices=wanted)))
        )
        (decided,) = await installation.consumed("intake", ApplicationsDecided, 1)
        (accepted,) = await installation.consumed("lottery", ApplicationsAccepted, 1)
    assert b"junior-football" not in decided.to_json()
    assert decided.items[0].reasons == ()
    assert [(refusal.class_id, refusal.reason) for refusal in accepted.items[0].refused] == [("junior-football", "age")]
    assert b"gmail" not in accepted.to_json()
    assert b"mail" not in accepted.to_json()


async def test_a_second_start_publishes_the_same_key_under_the_same_event_id(installation: Installation):
    async with installation.vault() as http:
        first = await installation.sealing_key(http)
    async with installation.vault() as http:
        await installation.consumed("intake", SealingKeyPublished, 2)
        assert await installation.sealing_key(http) == first
    assert len(set(await installation.event_ids("intake", SealingKeyPublished))) == 1


async def test_of_two_equal_ones_in_a_batch_the_earlier_stands(installation: Installation):
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        earlier, later = installation.received(key, somebody(1)), installation.received(key, somebody(1))
        assert later.received_at - earlier.received_at == timedelta(seconds=1)
        await installation.say(later, earlier)
        decided = await installation.items("intake", ApplicationsDecided, 2)
        accepted = await installation.items("lottery", ApplicationsAccepted, 1)
    assert {verdict.status for verdict in decided.values()} == {"complete"}
    assert len(accepted) == 1
