"""Erasures of people side by side: by two processes, of several people, and with the erasure of the campaign."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from services.notifier import handlers
from services.notifier.collections import CONTACTS, NOTICES, SLIPS
from services.vault.closeout.person_names import count_named, forget_names
from services.vault.person_erasure.repository import ORDERED, PersonErasureRecord, PersonErasureRepository, PersonNames
from shared.contracts import ContactsRegistered, PersonErasureRequested
from shared.contracts.closing import PERSON_ERASURES
from shared.erasure import OLDEST_TRANSACTION_S, KnownNames, PersonErasures, PersonStores
from shared.errors import TransientError
from shared.storage import UnitOfWork
from tests.support.applicants import new_applicant
from tests.support.notifier_harness import build_contact, by_mail
from tests.support.person_harness import ERASURE, SETTINGS, Service, check
from tests.support.vault_parts import CAMPAIGN


class Watched:
    """Stores of a service, and what happens before a person's records are closed."""

    def __init__(self, stores: PersonStores, before: Callable[[PersonErasureRequested], Awaitable[None]]) -> None:
        self.count, self.delete, self._close, self._before = stores.count, stores.delete, stores.close, before

    async def close(self, request: PersonErasureRequested, uow: UnitOfWork) -> KnownNames | None:
        """Do what comes before, and close."""
        await self._before(request)
        return await self._close(request, uow)


def overtaken(
    service: Service, other: PersonErasures, then: Callable[[], Awaitable[object]] | None = None
) -> PersonErasures:
    """Return a process that reads an erasure to be done and is overtaken by another before it sets the tombstone."""

    async def overtake(_: PersonErasureRequested) -> None:
        await other.carry_out(SETTINGS)
        if then is not None:
            await then()

    return replace(service.people, stores=Watched(service.people.stores, overtake))


@pytest.mark.parametrize("service", ["notifier"], indirect=True)
async def test_a_second_process_that_comes_late_writes_no_names_back(service: Service):
    gone = by_mail(1)[0]
    await service.take([ContactsRegistered(campaign=CAMPAIGN, items=(build_contact(gone),))], handlers.on_contacts)
    await service.request(gone)
    await overtaken(service, service.people).carry_out(SETTINGS)
    [answer] = await service.answers()
    check(answer, "notifier", contacts=1, notices=1)
    [stored] = await service.store.db[PERSON_ERASURES].find().to_list(None)
    assert "names" not in stored
    assert gone.receipt not in await service.everything()


@pytest.mark.parametrize("service", ["notifier"], indirect=True)
async def test_two_processes_keep_the_names_that_the_first_found(service: Service):
    gone = by_mail(1)[0]
    await service.take([ContactsRegistered(campaign=CAMPAIGN, items=(build_contact(gone),))], handlers.on_contacts)
    await service.request(gone)
    waiting = replace(service.people, wait_s=OLDEST_TRANSACTION_S)
    contacts = service.store.db[CONTACTS]
    await overtaken(service, waiting, lambda: contacts.delete_many({})).carry_out(SETTINGS)
    check(await service.erase(gone), "notifier", notices=1)
    assert await service.store.db[NOTICES].count_documents({}) == 0


@pytest.mark.parametrize("service", ["notifier"], indirect=True)
async def test_an_applicant_of_whom_only_a_slip_is_stored_is_found(service: Service):
    gone = by_mail(1)[0]
    slip = {"_id": gone.token, "campaign": CAMPAIGN, "n": 1, "slip": {"receipt": gone.receipt}, "occasions": []}
    await service.store.db[SLIPS].insert_one(slip)
    check(await service.erase(gone), "notifier", slips=1)
    assert gone.token not in await service.everything()


@pytest.mark.parametrize("service", ["lottery"], indirect=True)
async def test_one_erasure_that_fails_does_not_hold_up_the_others(service: Service):
    first, second = (new_applicant(CAMPAIGN) for _ in range(2))

    async def fail(request: PersonErasureRequested) -> None:
        if request.receipt == first.receipt:
            raise TransientError("the first one fails")

    service.people = replace(service.people, stores=Watched(service.people.stores, fail))
    await service.request(first, "person-1")
    await service.request(second, "person-2")
    with pytest.raises(TransientError):
        await service.people.carry_out(SETTINGS)
    assert [answer.erasure_id for answer in await service.answers()] == ["person-2"]


@pytest.mark.parametrize("service", ["lottery"], indirect=True)
async def test_a_second_tombstone_in_a_transaction_does_not_hide_the_first(service: Service):
    async def set_and_read(uow: UnitOfWork) -> set[str]:
        await uow.erased_people.put(CAMPAIGN, "person-2", ["second"], uow.session)
        found = (await uow.erased_people.of_campaigns([CAMPAIGN], uow.session))[CAMPAIGN]
        return set(found.values())

    await service.store.transact(lambda uow: uow.erased_people.put(CAMPAIGN, "person-1", ["first"], uow.session))
    assert await service.store.transact(set_and_read) == {"person-1", "person-2"}


@pytest.mark.parametrize("service", ["lottery"], indirect=True)
async def test_the_vault_forgets_ids_of_erasures_under_way_with_the_campaign_and_keeps_certificates(service: Service):
    """In a database of its own, without the vault's other stores."""
    store, repository = service.store, PersonErasureRepository(service.store)
    names = PersonNames("W-7K3M-9Q2P-6")
    record = PersonErasureRecord(ERASURE, CAMPAIGN, ORDERED, SETTINGS.window.opens, names=names)  # type: ignore[arg-type]
    await store.transact(lambda uow: repository.insert(record, uow))
    assert await count_named(store, CAMPAIGN) == 1
    await forget_names(store, CAMPAIGN)
    assert (await count_named(store, CAMPAIGN), await repository.under_way(CAMPAIGN)) == (0, [])
    assert names.receipt not in await service.everything()
