"""Count the slips of people who were erased meanwhile: without them nobody would be told to be left out of the draw."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.vault.deliveries.reconcile import NoticeCounter
from services.vault.person_erasure.repository import PersonNames
from services.vault.person_erasure.stores import PersonStores
from tests.integration.vault.test_left_out_late import admit, told
from tests.support.left_out_harness import LeftOutHarness
from tests.support.mail_room_harness import mail_desk
from tests.support.vault_parts import Known


@pytest.fixture
async def left_out(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[LeftOutHarness]:
    async with mail_desk(mongo_url, namespace, tmp_path, 1) as one:
        yield LeftOutHarness(one, "undecided")


async def order_erasure(left_out: LeftOutHarness, gone: Known) -> None:
    """Set the person's tombstone."""
    vault = left_out.desk.vault
    names = [gone.token, gone.receipt]
    await vault.store.transact(
        lambda uow: uow.erased_people.put(vault.campaign.id, f"person-{gone.receipt}", names, uow.session)
    )


async def delete(left_out: LeftOutHarness, gone: Known) -> None:
    """Delete the person's records, twice, as an erasure does."""
    vault = left_out.desk.vault
    names = PersonNames(gone.receipt, gone.application_id, gone.token, gone.entry)
    for _ in range(2):
        await PersonStores(vault.store).delete(vault.campaign.id, names)


async def drawn(left_out: LeftOutHarness) -> tuple[int, int] | None:
    return await NoticeCounter(left_out.desk.vault.store).drawn(left_out.desk.vault.campaign.id)


async def test_a_slip_of_a_person_who_was_erased_before_it_came_counts_and_leaves_nothing_of_the_person(
    left_out: LeftOutHarness,
) -> None:
    gone, other, late = await admit(left_out, 3)
    await left_out.publish(entries=2)
    await order_erasure(left_out, gone)
    await delete(left_out, gone)
    await left_out.issue(gone)
    await left_out.look()
    assert await told(left_out) == [], "a slip is on its way"
    assert await left_out.desk.vault.store.db["slips"].count_documents({}) == 0
    await left_out.issue(other)
    await left_out.look()
    assert await told(left_out) == [(late.token, "undecided", "telephone")]
    assert await drawn(left_out) == (2, 2)


async def test_a_slip_that_goes_with_its_person_counts_once_also_before_the_publication_is_known(
    left_out: LeftOutHarness,
) -> None:
    gone, other, late = await admit(left_out, 3)
    await left_out.issue(gone)
    await order_erasure(left_out, gone)
    await delete(left_out, gone)
    await left_out.publish(entries=2)
    await left_out.look()
    assert await told(left_out) == [], "a slip is on its way"
    await left_out.issue(gone, n=1_000_001)  # a place that was given up is no slip of the draw
    assert await drawn(left_out) == (2, 1)
    await left_out.issue(other)
    await left_out.look()
    assert await told(left_out) == [(late.token, "undecided", "telephone")]


async def test_an_erased_person_who_was_not_in_the_draw_counts_for_nobody(left_out: LeftOutHarness) -> None:
    gone, first, second, _ = await admit(left_out, 4)
    await left_out.publish(entries=2)
    await order_erasure(left_out, gone)
    await delete(left_out, gone)
    await left_out.issue(first)
    await left_out.look()
    assert await told(left_out) == []
    assert await drawn(left_out) == (2, 1)
    await left_out.give_up()
    await left_out.publish(2, entries=2)
    await left_out.issue(first, second, n=2_000_000)
    assert await drawn(left_out) == (2, 2)
