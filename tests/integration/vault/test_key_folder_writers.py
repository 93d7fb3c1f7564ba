"""One vault process at a time changes the key folder, also where two hosts share no locks of files (ADR 52).

A lock file that is removed stands for a file system without locks between hosts: each process locks a file of its own.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.vault.audit import AuditEvent, AuditLog
from services.vault.audit.folder import CHECKPOINTS_LEASE, WITNESS_LEASE
from services.vault.closeout.rules.stages import Stage
from services.vault.keys.erased_people import list_erased_people
from services.vault.keys.folder_lease import KEYS_LEASE
from shared.clock import SystemClock
from shared.signing import SigningKey
from shared.storage import LeaseError, Store
from shared.storage.leases import LEASES, Leases
from tests.support.closeout_harness import CloseOutOffice
from tests.support.databases import own_database
from tests.support.person_erasures import granted, order
from tests.support.telephone_harness import TelephoneDesk
from tests.support.vault_parts import Known
from tests.support.waiting import await_all, until

KEY = SigningKey.from_bytes(b"\x07" * 32)
LOOK = AuditEvent("suzuki-01", "handler", "reveal:n1", "result-notice", None, "ab12", "revealed")
DEAD_S = 2.0
"""Rest of the lease of a process that died."""


@pytest.fixture
async def store(mongo_url: str, namespace: str) -> AsyncIterator[Store]:
    async with own_database(mongo_url, f"{namespace}_vault") as store:
        yield store


async def leave_lease(store: Store, what: str) -> None:
    """Let a process that died have held this lease."""
    assert await Leases(store.db).hold(what, "dead", DEAD_S)


async def is_over(store: Store, what: str) -> bool:
    """Return True if the dead process's lease is over by the database's clock: only then another one may be in."""
    return await store.db[LEASES].count_documents({"_id": what, "$expr": {"$gt": ["$until", "$$NOW"]}}) == 0


async def test_processes_without_a_common_lock_sign_one_after_the_other(store: Store, tmp_path: Path) -> None:
    inside, most = 0, 0

    async def enter(log: AuditLog) -> None:
        nonlocal inside, most
        for _ in range(3):
            async with log.folder.locked():
                (tmp_path / "lock").unlink()
                inside += 1
                most = max(most, inside)
                await store.time()
                inside -= 1

    await await_all(*(enter(AuditLog(store, KEY, SystemClock(), tmp_path)) for _ in range(4)))
    assert most == 1


@pytest.mark.parametrize("lease", [CHECKPOINTS_LEASE, WITNESS_LEASE])
async def test_the_folder_of_a_dead_process_is_free_when_its_lease_is_over(
    store: Store, tmp_path: Path, lease: str
) -> None:
    log = AuditLog(store, KEY, SystemClock(), tmp_path)
    await leave_lease(store, lease)
    async with log.folder.locked() if lease == CHECKPOINTS_LEASE else log.folder.asking():
        assert await store.db[LEASES].count_documents({"_id": lease, "holder": "dead"}) == 0


async def test_a_process_that_was_frozen_while_it_signed_writes_nothing_over_the_next_one(
    store: Store, tmp_path: Path
) -> None:
    frozen, other = (AuditLog(store, KEY, SystemClock(), tmp_path) for _ in range(2))
    await frozen.record([LOOK])
    old = await frozen.checkpoint()
    assert old is not None
    async with frozen.folder.locked():
        (tmp_path / "lock").unlink()
        await store.db[LEASES].delete_one({"_id": CHECKPOINTS_LEASE})  # its time was over

        def is_refused() -> bool:
            try:
                frozen.folder.open_epoch(1)  # which it is already
            except LeaseError:
                return True
            return False

        await until(is_refused)
        await other.record([LOOK])
        new = await other.checkpoint()
        with pytest.raises(LeaseError):
            frozen.folder.write_signed(1, old)
        with pytest.raises(LeaseError):
            frozen.folder.open_epoch(2)
    assert new is not None
    assert new.size == 2
    assert frozen.folder.signed(1) == new
    assert frozen.folder.epoch == 1


async def test_nothing_is_written_outside_the_lease(store: Store, tmp_path: Path) -> None:
    log = AuditLog(store, KEY, SystemClock(), tmp_path)
    await log.record([LOOK])
    signed = await log.checkpoint()
    assert signed is not None
    for write in (log.folder.write_signed, log.folder.write_cosigned):
        with pytest.raises(LeaseError):
            write(1, signed)


async def test_a_key_is_destroyed_by_the_process_that_holds_the_lease(office: CloseOutOffice) -> None:
    await office.give_back()
    await office.order()
    await office.one_step()
    assert await office.stage() is Stage.SCANNED
    await leave_lease(office.vault.store, KEYS_LEASE)
    await office.one_step()
    assert await is_over(office.vault.store, KEYS_LEASE)
    assert office.vault.keystore.fingerprint_of_destroyed(office.vault.campaign.id)


async def test_the_list_of_erased_people_is_written_by_the_process_that_holds_the_lease(
    desk: TelephoneDesk, people: list[Known]
) -> None:
    handler, _, request = await granted(desk, people[0])
    await leave_lease(desk.staff.store, KEYS_LEASE)
    assert await order(handler, request, people[0].receipt) == 303
    assert await is_over(desk.staff.store, KEYS_LEASE)
    assert [one.request for one in list_erased_people(desk.staff.keystore.folder)] == [request]
