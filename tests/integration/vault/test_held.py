"""Test the review queue: a held application waits for a person, is decided once, and is listed without a name."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from services.vault.keys.keystore import Keystore
from shared.contracts import (
    ApplicationReceived,
    ApplicationsAccepted,
    ApplicationsDecided,
    ApplicationsHeld,
    ApplicationsRejected,
    ContactsRegistered,
)
from shared.ids import new_application_id
from tests.support.identity_builders import content, written
from tests.support.vault_harness import CAMPAIGN, Installation
from tests.support.waiting import await_all

HELD = f"/v1/campaigns/{CAMPAIGN}/held"
ACCEPT = {"decision": "accept", "reason": "namesake"}
REJECT = {"decision": "reject", "reason": "duplicate"}


@dataclass(frozen=True)
class Waiting:
    """One accepted application and a later one of the same person, which is held."""

    installation: Installation
    first: ApplicationReceived
    held: ApplicationReceived

    async def decided(self) -> Any:
        """Return the last decision about the held application that intake received."""
        events = await self.installation.consumed("intake", ApplicationsDecided, 3)
        about = [item for event in events for item in event.items if item.receipt == self.held.receipt]
        return max(about, key=lambda item: item.revision)


def other_mail() -> bytes:
    """Return the content of the same person with another mail address: no exact copy, so a person decides."""
    return written(content(applicant=content()["applicant"] | {"email": "ichiro@other.example"}))


async def waiting(installation: Installation, http: httpx.AsyncClient) -> Waiting:
    key = await installation.sealing_key(http)
    first, held = (installation.received(key, plaintext) for plaintext in (written(content()), other_mail()))
    for event in (first, held):
        await installation.say(event)
        await installation.said_everything()
    await installation.items("lottery", ApplicationsHeld, 1)
    return Waiting(installation, first, held)


async def test_the_list_shows_ids_and_what_matches_but_no_person(installation: Installation):
    async with installation.vault() as http:
        case = await waiting(installation, http)
        answer = await http.get(HELD)
    (shown,) = answer.json()["held"]
    assert shown["application_id"] == case.held.application_id
    assert shown["receipt"] == case.held.receipt
    assert shown["match"]["application_id"] == case.first.application_id
    assert shown["match"]["receipt"] == case.first.receipt
    assert shown["match"]["kind"] == "same-person"
    for personal in ("髙橋", "一郎", "歌舞伎町", "0300000001", "gmail"):
        assert personal not in answer.text


async def test_the_list_is_bounded_shows_who_waits_longest_and_counts_the_others(installation: Installation):
    async with installation.vault() as http:
        await waiting(installation, http)
        third = content(applicant=content()["applicant"] | {"email": "saburo@other.example"})
        await installation.say(installation.received(await installation.sealing_key(http), written(third)))
        await installation.items("lottery", ApplicationsHeld, 2)
        whole = (await http.get(HELD)).json()
        short = (await http.get(HELD, params={"limit": 1})).json()
        assert (await http.get(HELD, params={"limit": 1001})).status_code == 422
    assert whole["waiting"] == len(whole["held"]) == short["waiting"] == 2
    assert short["held"] == whole["held"][:1]


async def test_a_possible_duplicate_is_acknowledged_like_any_other_and_does_not_enter_the_draw(
    installation: Installation,
):
    """Its silence would tell that the person has applied before (a13)."""
    async with installation.vault() as http:
        case = await waiting(installation, http)
        contacts = await installation.items("notifier", ContactsRegistered, 2)
        accepted = await installation.items("lottery", ApplicationsAccepted, 1)
    first, held = contacts[case.first.receipt], contacts[case.held.receipt]
    assert (held.status, held.version, held.revision) == (first.status, first.version, first.revision)
    assert held.status == "complete"
    assert set(accepted) == {case.first.receipt}


async def test_a_doubt_about_the_content_keeps_the_acknowledgement_back(installation: Installation):
    doubtful = content()
    doubtful["applicant"] |= {"postal_code": "060-0001"}
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        first, held = installation.received(key, written(content())), installation.received(key, written(doubtful))
        await installation.say(first, held)
        await installation.said_everything()
        await installation.items("lottery", ApplicationsHeld, 1)
        before = await installation.items("notifier", ContactsRegistered, 1)
        await http.post(f"{HELD}/{held.application_id}", json=ACCEPT)
        after = await installation.items("notifier", ContactsRegistered, 2)
    assert set(before) == {first.receipt}
    assert (after[held.receipt].status, after[held.receipt].revision) == ("complete", 2)


async def test_an_accepted_application_enters_the_draw_and_can_be_notified(installation: Installation):
    async with installation.vault() as http:
        case = await waiting(installation, http)
        answer = await http.post(f"{HELD}/{case.held.application_id}", json=ACCEPT)
        accepted = await installation.items("lottery", ApplicationsAccepted, 2)
        contacts = await installation.newest_contacts(3)
        decided = await case.decided()
        left = (await http.get(HELD)).json()["held"]
    assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
    assert accepted[case.held.receipt].revision == 2
    assert (contacts[case.held.receipt].status, contacts[case.held.receipt].revision) == ("complete", 2)
    assert (decided.status, decided.reasons, decided.revision) == ("complete", (), 2)
    assert left == []


async def test_a_rejected_duplicate_does_not_enter_the_draw_and_tells_nobody(installation: Installation):
    async with installation.vault() as http:
        case = await waiting(installation, http)
        answer = await http.post(f"{HELD}/{case.held.application_id}", json=REJECT)
        rejected = await installation.items("lottery", ApplicationsRejected, 1)
        contacts = await installation.newest_contacts(3)
        decided = await case.decided()
        accepted = await installation.items("lottery", ApplicationsAccepted, 1)
    assert (answer.status_code, answer.json()["state"]) == (200, "rejected")
    assert (rejected[case.held.receipt].reasons, rejected[case.held.receipt].revision) == (
        ("duplicate",),
        2,
    )
    assert (contacts[case.held.receipt].status, contacts[case.held.receipt].version) == ("complete", 1)
    assert (decided.status, decided.reasons) == ("complete", ())
    assert set(accepted) == {case.first.receipt}


async def test_a_second_decision_is_refused_and_changes_nothing(installation: Installation):
    async with installation.vault() as http:
        case = await waiting(installation, http)
        url = f"{HELD}/{case.held.application_id}"
        await http.post(url, json=ACCEPT)
        answer = await http.post(url, json=REJECT)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:kuji:problem:already-decided")
        assert answer.json()["state"] == "accepted"
        assert set(await installation.items("lottery", ApplicationsAccepted, 2)) == {
            case.first.receipt,
            case.held.receipt,
        }


async def test_of_two_decisions_at_once_one_counts(installation: Installation):
    async with installation.vault() as here, installation.vault() as there:
        case = await waiting(installation, here)
        url = f"{HELD}/{case.held.application_id}"
        answers = await await_all(here.post(url, json=ACCEPT), there.post(url, json=REJECT))
        await installation.said_everything()
        accepted = await installation.consumed("lottery", ApplicationsAccepted, 1)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    winner = next(answer for answer in answers if answer.status_code == 200)
    entries = {item.receipt for event in accepted for item in event.items}
    assert (case.held.receipt in entries) is (winner.json()["state"] == "accepted")


async def test_a_decision_stands_in_the_audit_log_with_who_made_it(installation: Installation):
    async with installation.vault() as http:
        case = await waiting(installation, http)
        await http.post(f"{HELD}/{case.held.application_id}", json=REJECT)
        lines = (await http.get("/v1/audit")).json()["lines"]
    assert '"action":"review:reject"' in lines[-1]
    assert '"actor":"desk-1"' in lines[-1]
    assert case.held.application_id not in lines[-1]


async def test_after_a_rejection_the_same_person_can_only_be_matched_with_the_first(installation: Installation):
    async with installation.vault() as http:
        case = await waiting(installation, http)
        await http.post(f"{HELD}/{case.held.application_id}", json=REJECT)
        third = {name: value for name, value in content()["applicant"].items() if name != "email"}
        again = installation.received(await installation.sealing_key(http), written(content(applicant=third)))
        await installation.say(again)
        await installation.items("lottery", ApplicationsHeld, 2)
        (shown,) = (await http.get(HELD)).json()["held"]
    assert shown["match"]["application_id"] == case.first.application_id


async def test_a_contradiction_of_address_and_postal_code_is_held_as_such_and_its_rejection_frees_the_way(
    installation: Installation,
):
    doubtful = content()
    doubtful["applicant"]["postal_code"] = "1640003"
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        held = installation.received(key, written(doubtful))
        await installation.say(held)
        await installation.items("lottery", ApplicationsHeld, 1)
        (shown,) = (await http.get(HELD)).json()["held"]
        await http.post(f"{HELD}/{held.application_id}", json=REJECT | {"reason": "postal-mismatch"})
        right = installation.received(key, written(content()))
        await installation.say(right)
        accepted = await installation.items("lottery", ApplicationsAccepted, 1)
    assert (shown["doubts"], shown["match"]) == (["postal-mismatch"], None)
    assert set(accepted) == {right.receipt}


@pytest.mark.parametrize(
    "body",
    [
        {"decision": "maybe", "reason": "duplicate"},
        {"decision": "reject", "reason": "髙橋さんは二度目"},
        {"decision": "reject", "reason": "tanaka-taro"},
        {"decision": "accept", "reason": "not-resident"},
        {"decision": "reject", "reason": "duplicate", "actor": "髙橋 一郎"},
        {"decision": "reject", "reason": "duplicate", "actor": "desk-2"},
        {"decision": "reject", "reason": "duplicate", "remark": "-"},
    ],
)
async def test_a_decision_has_no_room_for_free_text(installation: Installation, body: dict[str, str]):
    async with installation.vault() as http:
        answer = await http.post(f"{HELD}/{new_application_id()}", json=body)
    assert answer.status_code == 422
    assert "髙橋" not in answer.text


async def test_unknown_applications_and_campaigns_are_not_found(installation: Installation):
    async with installation.vault() as http:
        application = await http.post(f"{HELD}/{new_application_id()}", json=ACCEPT)
        campaign = await http.get("/v1/campaigns/other/held")
    assert (application.status_code, application.json()["type"]) == (404, "urn:kuji:problem:unknown-application")
    assert (campaign.status_code, campaign.json()["type"]) == (404, "urn:kuji:problem:unknown-campaign")


async def test_without_a_session_the_review_queue_is_refused(installation: Installation):
    async with installation.vault() as http:
        http.headers.pop("Cookie")
        for answer in (
            await http.get(HELD),
            await http.post(f"{HELD}/{new_application_id()}", json=ACCEPT),
            await http.get("/v1/audit"),
            await http.get(f"/v1/campaigns/{CAMPAIGN}/summary"),
            await http.post("/v1/lock"),
        ):
            assert answer.status_code == 401


async def test_after_the_key_is_destroyed_nothing_can_be_decided_and_the_answer_says_so(installation: Installation):
    async with installation.vault() as http:
        case = await waiting(installation, http)
        Keystore.open(installation.settings.keystore_dir, "a passphrase of the tests").destroy_campaign_key(CAMPAIGN)
        answer = await http.post(f"{HELD}/{case.held.application_id}", json=ACCEPT)
    assert (answer.status_code, answer.json()["type"]) == (410, "urn:kuji:problem:erased")


async def test_a_sealed_vault_decides_nothing_and_says_that_it_is_not_ready(installation: Installation):
    async with installation.vault() as here, installation.vault() as there:
        case = await waiting(installation, here)
        assert (await here.post("/v1/lock")).json() == {"state": "locked"}
        for http in (here, there):
            answer = await http.post(f"{HELD}/{case.held.application_id}", json=ACCEPT)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert (await http.get("/health/ready")).json()["checks"]["keys"] is False
    async with installation.vault() as opened_again:
        answer = await opened_again.post(f"{HELD}/{case.held.application_id}", json=ACCEPT)
        assert answer.status_code == 200
