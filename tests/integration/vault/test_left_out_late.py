"""Tell those whom the published draw left out though they were accepted, or judged after it; nobody who was drawn."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.vault.deliveries.left_out_watch import LeftOutWatch
from services.vault.deliveries.reconcile import NoticeCounter
from tests.support.left_out_harness import FIRST, STRANGER, LeftOutHarness
from tests.support.mail_room_harness import mail_desk, person
from tests.support.vault_parts import Known

REDRAWN = 2_000_000
SAME_ADDRESS = {"postal_code": FIRST.postal_code, "address": FIRST.address}


@pytest.fixture
async def left_out(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[LeftOutHarness]:
    async with mail_desk(mongo_url, namespace, tmp_path, 1) as one:
        await one.release("undecided", "card")
        yield LeftOutHarness(one, "undecided")


async def admit(left_out: LeftOutHarness, count: int) -> list[Known]:
    """Store applications that are accepted."""
    return await left_out.desk.vault.admit([person(number) for number in range(1, count + 1)])


async def told(left_out: LeftOutHarness) -> list[tuple[str, str, str]]:
    """Return token, status and contact of what the vault published."""
    return [(one.token, one.status, one.contact) for one in await left_out.contacts()]


async def test_who_is_accepted_between_freeze_and_publication_is_told_by_telephone_once(
    left_out: LeftOutHarness,
) -> None:
    drawn, other, late = await admit(left_out, 3)
    await left_out.issue(drawn, other)
    await left_out.publish(entries=2)
    await left_out.look()
    await left_out.look()
    assert await told(left_out) == [(late.token, "undecided", "telephone")]
    assert await left_out.order(late, "card") == "superseded"
    counter = NoticeCounter(left_out.desk.vault.store)
    counted = await counter.count(left_out.desk.vault.campaign.id)
    assert (counted.undecided, counted.undecided_by_telephone) == (1, 1)
    assert await counter.drawn(left_out.desk.vault.campaign.id) == (2, 2)


async def test_who_is_judged_after_the_publication_is_told_in_whatever_state_the_verdict_is(
    left_out: LeftOutHarness,
) -> None:
    (drawn,) = await admit(left_out, 1)
    await left_out.issue(drawn)
    await left_out.publish(entries=1)
    watch = LeftOutWatch(left_out.desk.vault.store, left_out.desk.vault.keystore)
    await watch.look(left_out.desk.vault.campaign.id)
    accepted, held, near, rejected = await left_out.desk.vault.admit(
        [STRANGER, person(4), replace(person(1), name=person(5).name), person(6)]
    )
    await left_out.behind(held, drawn, "held")
    await left_out.behind(near, drawn, "held")
    await left_out.change(rejected, state="rejected", reasons=["grade"])
    await watch.look(left_out.desk.vault.campaign.id)
    assert sorted(await told(left_out)) == sorted(
        [
            (accepted.token, "undecided", "telephone"),
            (held.token, "undecided", "telephone"),
            (near.token, "undecided", "post"),
        ]
    )


async def test_nobody_in_order_is_told_before_all_slips_arrived_though_the_publication_came_first(
    left_out: LeftOutHarness,
) -> None:
    first, second, late = await admit(left_out, 3)
    await left_out.publish(entries=2)
    await left_out.look()
    await left_out.issue(first)
    await left_out.issue(late, n=1_000_001)  # a place by a correction is no slip of the draw
    await left_out.look()
    assert await told(left_out) == []
    await left_out.issue(second)
    await left_out.look()
    assert await told(left_out) == []


async def test_a_publication_that_does_not_say_how_many_were_drawn_tells_nobody_who_is_in_order(
    left_out: LeftOutHarness,
) -> None:
    drawn, _ = await admit(left_out, 2)
    await left_out.issue(drawn)
    await left_out.publish()
    await left_out.look()
    assert await told(left_out) == []


async def test_nobody_is_told_between_a_draw_that_is_given_up_and_the_next_which_may_have_everybody(
    left_out: LeftOutHarness,
) -> None:
    first, second, never = await admit(left_out, 3)
    await left_out.change(second, state="withdrawn")
    await left_out.change(never, state="withdrawn")
    await left_out.issue(first)
    await left_out.publish(entries=1)
    await left_out.look()
    await left_out.give_up()
    await left_out.change(second, state="accepted")
    await left_out.look()
    await left_out.publish(2, entries=2)
    await left_out.change(never, state="accepted")
    await left_out.issue(first, n=REDRAWN)
    await left_out.look()
    assert await told(left_out) == []
    await left_out.issue(second, n=REDRAWN)
    await left_out.look()
    assert await told(left_out) == [(never.token, "undecided", "telephone")]


async def test_a_further_round_changes_neither_the_count_nor_who_was_told(left_out: LeftOutHarness) -> None:
    first, late = await admit(left_out, 2)
    await left_out.issue(first)
    await left_out.publish(entries=1)
    await left_out.look()
    await left_out.publish(2)
    (later,) = await left_out.desk.vault.admit([STRANGER])
    await left_out.look()
    await left_out.give_up(2)
    await left_out.desk.vault.admit([person(9)])
    await left_out.look()
    assert [token for token, _, _ in await told(left_out)] == [late.token, later.token]


async def test_a_decision_after_the_card_was_ordered_neither_tells_again_nor_takes_the_card_back(
    left_out: LeftOutHarness,
) -> None:
    first, held = await left_out.desk.vault.admit([FIRST, replace(STRANGER, **SAME_ADDRESS)])
    await left_out.behind(held, first, "held")
    await left_out.issue(first)
    await left_out.publish(entries=1)
    await left_out.change(held, state="accepted", match=None)
    await left_out.look()
    await left_out.publish(2)
    await left_out.look()
    assert await told(left_out) == [(held.token, "undecided", "post")]
    assert await left_out.order(held, "card") == "superseded"


async def test_two_vaults_that_look_at_the_same_time_tell_once(left_out: LeftOutHarness) -> None:
    first, late = await admit(left_out, 2)
    await left_out.issue(first)
    await left_out.publish(entries=1)
    await asyncio.gather(*(left_out.look() for _ in range(4)))
    assert await told(left_out) == [(late.token, "undecided", "telephone")]
