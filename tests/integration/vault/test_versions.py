"""Corrections, withdrawals and copies on real servers, also as a compromised intake or a stranger would send them."""

from typing import Any

import pytest

from services.vault.applications.repository import COLLECTION, ApplicationRepository
from shared.codes import entry_id, format_code, lottery_proof, proof_digest
from shared.contracts import (
    ApplicationsAccepted,
    ApplicationsDecided,
    ApplicationsRejected,
    ContactsRegistered,
)
from shared.ids import new_application_id
from tests.support.identity_builders import CODE, code_of, content, written
from tests.support.vault_harness import CAMPAIGN, Installation
from tests.support.waiting import await_all, until

WITHDRAWAL = written({"v": 2, "withdraw": True, "code": CODE})
CORRECTED = written(content(choices=[{"class": each, "seats": 1} for each in ("adult-running", "junior-football")]))
"""One more class, which the rules refuse this person: the classes are all that differs."""

MOVED = written(content(applicant=content()["applicant"] | {"phone": "03-0009-0009"}))


async def test_an_application_is_corrected_withdrawn_and_sent_again_and_its_code_stays_in_the_vault(
    installation: Installation, capsys: pytest.CaptureFixture[str]
):
    application_id = new_application_id()
    code = code_of(application_id)
    entry = entry_id(CAMPAIGN, application_id, code)
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        tokens = set()
        for version, plaintext in enumerate((written(content()), MOVED, WITHDRAWAL, CORRECTED), start=1):
            event = installation.received(key, plaintext, application_id=application_id, version=version)
            await installation.say(event)
            decided = (await installation.newest("intake", ApplicationsDecided, version))[event.receipt]
            assert (decided.version, decided.status) == (version, "withdrawn" if version == 3 else "complete")
            contact = (await installation.newest("notifier", ContactsRegistered, version))[event.receipt]
            assert (contact.version, contact.status) == (version, "rejected" if version == 3 else "complete")
            tokens.add(contact.token)
        accepted = (await installation.newest("lottery", ApplicationsAccepted, 3))[event.receipt]
        withdrawn = (await installation.newest("lottery", ApplicationsRejected, 1))[event.receipt]
        assert len(tokens) == 1
        assert await installation.store.db["identities"].count_documents({}) == 1
        contents = await installation.store.db["blind_index"].distinct("contents")
        assert len(contents) == 1, "the hashes of earlier versions are gone"
        stored = await installation.everything_stored()
    assert (withdrawn.version, withdrawn.verdict, withdrawn.entry) == (3, "withdrawn", entry)
    assert (accepted.version, accepted.entry, accepted.refused[0].reason) == (4, entry, "age")
    assert accepted.proof_sha256 == proof_digest(lottery_proof(CAMPAIGN, entry, code))
    messages = installation.everything_consumed()
    for place in (stored, messages, capsys.readouterr().out.encode()):
        assert code.encode() not in place
        assert format_code(code).encode() not in place
        assert lottery_proof(CAMPAIGN, entry, code).encode() not in place


async def test_a_withdrawal_that_overtakes_its_application_is_confirmed_all_the_same(installation: Installation):
    """Two instances of the vault take the queue together: the second version may be handled first."""
    application_id = new_application_id()
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        withdrawal = installation.received(key, WITHDRAWAL, application_id=application_id, version=2)
        await installation.say(withdrawal)
        await installation.newest("lottery", ApplicationsRejected, 1)
        await installation.say(installation.received(key, written(content()), application_id=application_id))
        contact = (await installation.newest("notifier", ContactsRegistered, 1))[withdrawal.receipt]
        decided = (await installation.newest("intake", ApplicationsDecided, 2))[withdrawal.receipt]
        assert await installation.store.db["identities"].count_documents({"_id": contact.token}) == 1
        assert await installation.store.db["blind_index"].count_documents({}) == 0
    assert (contact.status, contact.contact, contact.version) == ("rejected", "mail", 2)
    assert (decided.version, decided.status) == (2, "withdrawn")


async def test_a_compromised_intake_can_neither_replay_nor_reorder_nor_forge_versions(installation: Installation):
    application_id, other = new_application_id(), new_application_id()

    async with installation.vault() as http:
        key = await installation.sealing_key(http)

        async def send(plaintext: bytes, version: int, **changes: Any) -> None:
            await installation.say(
                installation.received(key, plaintext, application_id=application_id, version=version, **changes)
            )
            await until(lambda: is_answered(version))

        async def is_answered(version: int) -> bool:
            row = await installation.store.db[COLLECTION].find_one({"_id": application_id})
            return row is not None and row["version"] >= version

        first = installation.received(key, written(content()), application_id=application_id)
        second = installation.received(key, CORRECTED, application_id=application_id, version=2)
        await installation.say(second)
        await until(lambda: is_answered(2))
        await installation.say(first)
        foreign_code = written(content()).replace(CODE.encode(), code_of(other).encode())
        await send(b"", 3, sealed=second.sealed)
        await send(b"", 4, sealed=first.sealed)
        await send(foreign_code, 5)
        await send(WITHDRAWAL.replace(CODE.encode(), code_of(other).encode()), 6)
        decided = (await installation.newest("intake", ApplicationsDecided, 5))[second.receipt]
        accepted = (await installation.newest("lottery", ApplicationsAccepted, 5))[second.receipt]
        contacts = await installation.newest("notifier", ContactsRegistered, 5)
        await installation.say(second)
        await send(foreign_code, 7)
        assert len(await installation.event_ids("lottery", ApplicationsRejected)) == 0
        row = await installation.store.db[COLLECTION].find_one({"_id": application_id})
    assert (decided.version, decided.status, decided.reasons) == (6, "complete", ("version-refused",))
    assert (accepted.version, accepted.refused[0].reason) == (6, "age")
    assert contacts[second.receipt].version == 2
    assert (row["content_version"], row["version"], row["revision"]) == (2, 7, 6)


async def test_a_strangers_copies_stop_nothing_and_read_like_any_other_application(installation: Installation):
    """Attack a13: name and address told that a person has applied, and 118 applications held the draw."""
    control = content()["applicant"] | {"name": "佐藤 花子", "phone": "03-0000-0002"}
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        before = installation.received(key, written(content()))
        await installation.say(before)
        await installation.said_everything()
        events = [installation.received(key, CORRECTED) for _ in range(5)]
        events.append(installation.received(key, written(content(applicant=control))))
        await installation.say(*events)
        decided = await installation.newest("intake", ApplicationsDecided, 7)
        contacts = await installation.newest("notifier", ContactsRegistered, 7)
        rejected = await installation.newest("lottery", ApplicationsRejected, 5)
        answers = {_without_ids(decided[event.receipt]) for event in events}
        mails = {_without_ids(contacts[event.receipt]) for event in events}
        assert (len(answers), len(mails)) == (1, 1)
        assert {item.verdict for item in rejected.values()} == {"superseded"}
        assert (await http.get(f"/v1/campaigns/{CAMPAIGN}/held")).json()["held"] == []
        withdrawal = installation.received(key, WITHDRAWAL, application_id=before.application_id, version=2)
        await installation.say(withdrawal)
        accepted = await installation.newest("lottery", ApplicationsAccepted, 3)
    assert {events[0].receipt, events[-1].receipt} <= set(accepted)
    assert not {event.receipt for event in events[1:-1]} & set(accepted)


async def test_while_the_first_is_withdrawn_at_one_vault_a_copy_that_arrives_at_another_still_stands(
    installation: Installation,
):
    pairs = 8
    async with installation.vault() as http, installation.vault():
        key = await installation.sealing_key(http)
        people = [content()["applicant"] | {"name": f"佐藤 {number}郎"} for number in range(pairs)]
        firsts = [installation.received(key, written(content(applicant=one))) for one in people]
        await installation.say(*firsts)
        await installation.said_everything()
        going = [installation.received(key, WITHDRAWAL, application_id=one.application_id, version=2) for one in firsts]
        coming = [installation.received(key, written(content(applicant=one))) for one in people]
        await await_all(installation.say(*going), installation.say(*coming))
        await installation.said_everything()
        rows = await installation.store.db[COLLECTION].find({}).to_list(None)
    states = {row["_id"]: row["state"] for row in rows}
    assert {states[event.application_id] for event in going} == {"withdrawn"}
    assert {states[event.application_id] for event in coming} == {"accepted"}


async def test_applications_of_one_content_are_found_by_their_index(installation: Installation):
    """Otherwise each correction would read all applications."""
    async with installation.vault():
        query = ApplicationRepository.contents_query(["ab" * 32])
        explained = await installation.store.db.command({"explain": {"find": COLLECTION, "filter": query}})
    assert "keys.copy_1" in str(explained["queryPlanner"]["winningPlan"])


def _without_ids(item: Any) -> str:
    names = {"application_id", "receipt", "token"}
    return str(item.model_dump(exclude=names))
