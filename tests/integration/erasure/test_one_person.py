"""One person is erased in each service, on its real stores: nothing is left, and nothing comes back by an event."""

import dataclasses
from datetime import UTC, datetime

import pytest

from services.intake.applications.repository import APPLICATIONS, SubmissionRepository
from services.intake.applications.stored import Arrival
from services.intake.receipts.sign import ReceiptSigner
from services.intake.rules.states import Status
from services.lottery.draw import handlers as lottery_handlers
from services.lottery.draw.collections import ENTRIES
from services.lottery.draw.roll_repository import RollRepository
from services.notifier import handlers as notifier_handlers
from services.notifier.collections import CONTACTS
from shared.contracts import ClosedReceipt, ContactsRegistered, ReceiptsClosed
from shared.contracts.named_people import without_people
from shared.erasure import OLDEST_TRANSACTION_S
from tests.support.applicants import new_applicant
from tests.support.notifier_harness import build_contact, by_mail
from tests.support.person_harness import Service, accepted, check
from tests.support.service_keys import service_key
from tests.support.vault_parts import CAMPAIGN


@pytest.mark.parametrize("service", ["lottery"], indirect=True)
async def test_the_lottery_forgets_an_entry_before_the_draw_and_a_replayed_verdict_changes_nothing(service: Service):
    gone, other = new_applicant(CAMPAIGN), new_applicant(CAMPAIGN)
    await service.take([accepted(gone, other)], lottery_handlers.on_accepted)
    check(await service.erase(gone), "lottery", entries=1)
    await service.take([accepted(gone, other, revision=7)], lottery_handlers.on_accepted)
    everything = await service.everything()
    assert gone.entry not in everything
    assert gone.token not in everything
    stored = {row["receipt"]: row async for row in service.store.db[ENTRIES].find()}
    assert (stored[gone.receipt]["state"], stored[gone.receipt]["verdict"]) == ("rejected", "withdrawn")
    assert stored[other.receipt]["revision"] == 7
    [tombstone] = await service.store.db["person_tombstones"].find().to_list(None)
    assert tombstone["dropped"] == 1


@pytest.mark.parametrize("service", ["lottery"], indirect=True)
async def test_the_roll_keeps_the_line_of_an_erased_receipt_and_the_freeze_does_not_wait_for_it(service: Service):
    gone = new_applicant(CAMPAIGN)
    await service.take([accepted(gone)], lottery_handlers.on_accepted)
    await service.erase(gone)
    line = ClosedReceipt(receipt=gone.receipt, version=2, line="a" * 64)
    roll = ReceiptsClosed(campaign=CAMPAIGN, part=1, parts=1, total=1, items=(line,))
    await service.take([roll], lottery_handlers.on_receipts_closed)
    readiness = await RollRepository(service.store).readiness(CAMPAIGN)
    assert (readiness.undecided, readiness.outdated, readiness.held, readiness.unknown_entries) == (0, 0, 0, 0)
    assert await RollRepository(service.store).lines(CAMPAIGN) == ["a" * 64]


@pytest.mark.parametrize("service", ["notifier"], indirect=True)
async def test_the_notifier_forgets_contact_and_notices_and_a_replayed_contact_is_dropped(service: Service):
    gone, other = by_mail(2)
    event = ContactsRegistered(campaign=CAMPAIGN, items=(build_contact(gone), build_contact(other)))
    await service.take([event], notifier_handlers.on_contacts)
    answer = await service.erase(gone)
    check(answer, "notifier", contacts=1, notices=1)
    await service.take([event], notifier_handlers.on_contacts)
    assert [row["_id"] async for row in service.store.db[CONTACTS].find()] == [other.token]
    everything = await service.everything()
    assert gone.token not in everything
    assert gone.receipt not in everything


@pytest.mark.parametrize("service", ["intake"], indirect=True)
async def test_intake_keeps_the_line_of_the_roll_and_nothing_else(service: Service):
    submissions = SubmissionRepository(service.store, ReceiptSigner(service_key("intake")))
    arrival = Arrival(
        new_applicant(CAMPAIGN).application_id, CAMPAIGN, "web", "b" * 64, "c" * 64, datetime(2018, 5, 20, tzinfo=UTC)
    )  # type: ignore[arg-type]
    stored = await submissions.add(arrival, bytes(32), "d" * 64)
    await submissions.confirm(arrival.application_id)
    applicant = dataclasses.replace(new_applicant(CAMPAIGN), receipt=stored.receipt)
    check(await service.erase(applicant), "intake", applications=1)
    assert await submissions.find_by_receipt(CAMPAIGN, stored.receipt) is None
    again = await submissions.add(arrival, bytes(32), "d" * 64)
    assert (again.receipt, again.status, again.arrival.fingerprint) == (stored.receipt, Status.ERASED, "0" * 64)
    assert not again.has_receipt
    [line] = await service.store.transact(lambda uow: submissions.list_receipted(CAMPAIGN, uow))
    assert (line.receipt, line.line) == (stored.receipt, stored.line)
    [row] = await service.store.db[APPLICATIONS].find().to_list(None)
    assert row["document"] == ""
    assert {row["fingerprint"], row["proof_sha256"]} == {"0" * 64}


@pytest.mark.parametrize("service", ["lottery"], indirect=True)
async def test_nothing_is_deleted_before_old_transactions_ended_and_an_answer_is_repeated(service: Service):
    """Another process may hold a message: only the database ends its transaction for certain."""
    gone = new_applicant(CAMPAIGN)
    await service.take([accepted(gone)], lottery_handlers.on_accepted)
    now, service.people = service.people, dataclasses.replace(service.people, wait_s=OLDEST_TRANSACTION_S)
    assert await service.erase(gone) is None
    assert await service.store.db[ENTRIES].count_documents({"entry": gone.entry}) == 1
    service.people = now
    first = await service.erase(gone)
    assert first is not None
    assert await service.erase(gone) == first


def test_an_event_keeps_its_items_about_others():
    gone, other = new_applicant(CAMPAIGN), new_applicant(CAMPAIGN)
    event = accepted(gone, other)
    kept = without_people(event, lambda names: gone.token in names)
    assert kept is not None
    assert [item.receipt for item in kept.items] == [other.receipt]
    assert without_people(accepted(gone), lambda names: gone.entry in names) is None
    assert without_people(event, lambda names: "somebody else" in names) is event
