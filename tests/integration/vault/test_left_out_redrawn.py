"""Tell who had a slip of the draw before and has none of the draw that was made in its place, once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.vault.deliveries.reconcile import NoticeCounter
from tests.integration.vault.test_left_out_late import REDRAWN, SAME_ADDRESS, admit, told
from tests.support.left_out_harness import FIRST, STRANGER, LeftOutHarness
from tests.support.mail_room_harness import mail_desk
from tests.support.vault_parts import Known


@pytest.fixture
async def left_out(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[LeftOutHarness]:
    async with mail_desk(mongo_url, namespace, tmp_path, 1) as one:
        await one.release("undecided", "card")
        yield LeftOutHarness(one, "undecided")


async def redraw(left_out: LeftOutHarness, *before: Known) -> None:
    """Let `before` be the list of a draw that is given up, and publish another one of which no slip arrived."""
    await left_out.issue(*before)
    await left_out.publish(entries=len(before))
    await left_out.look()
    await left_out.give_up()
    await left_out.look()
    await left_out.publish(2, entries=1)
    await left_out.look()


async def test_who_has_a_slip_of_the_draw_before_and_none_of_the_next_is_told_once(left_out: LeftOutHarness) -> None:
    drawn, gone = await admit(left_out, 2)
    await redraw(left_out, drawn, gone)
    assert await told(left_out) == [], "a slip of the next draw may be on its way"
    await left_out.issue(drawn, n=REDRAWN)
    await left_out.look()
    await left_out.publish(3)  # a further round
    await left_out.look()
    assert await told(left_out) == [(gone.token, "undecided", "telephone")]
    assert [one.left_out_of for one in await left_out.contacts()] == [REDRAWN]
    counted = await NoticeCounter(left_out.desk.vault.store).count(left_out.desk.vault.campaign.id)
    assert (counted.undecided, counted.undecided_by_telephone) == (1, 1)
    assert [(missed.token, missed.n) for missed in counted.missing] == [(drawn.token, REDRAWN)]


async def test_who_is_held_at_the_redraw_gets_a_card_until_a_slip_of_it_comes(left_out: LeftOutHarness) -> None:
    second = replace(STRANGER, **SAME_ADDRESS)
    first, *held = await left_out.desk.vault.admit([FIRST, second, replace(second, name=FIRST.name)])
    await left_out.issue(first, *held)
    await left_out.publish(entries=3)
    for one in held:
        await left_out.behind(one, first, "held")
    await left_out.give_up()
    await left_out.publish(2, entries=1)
    assert sorted(await told(left_out)) == sorted((one.token, "undecided", "post") for one in held)
    assert await left_out.order(held[0], "card") == "queued"
    await left_out.issue(held[1], n=REDRAWN)
    assert await left_out.order(held[1], "card") == "superseded"


async def test_who_is_held_after_the_draw_that_stands_is_told_of_the_next_only(left_out: LeftOutHarness) -> None:
    first, held = await left_out.desk.vault.admit([FIRST, replace(STRANGER, **SAME_ADDRESS)])
    await left_out.issue(first, held)
    await left_out.publish(entries=2)
    await left_out.behind(held, first, "held")
    await left_out.publish(2)  # a further round: the notifier has a slip that says more
    await left_out.give_up(2)
    await left_out.publish(3, entries=1)
    assert [one.left_out_of for one in await left_out.contacts()] == [1_000_000, 3_000_000]


async def test_who_was_left_out_of_both_draws_is_told_once(left_out: LeftOutHarness) -> None:
    drawn, late = await admit(left_out, 2)
    await redraw(left_out, drawn)
    await left_out.issue(drawn, n=REDRAWN)
    await left_out.look()
    assert await told(left_out) == [(late.token, "undecided", "telephone")]


async def test_who_was_drawn_in_between_is_told_of_the_third_draw_again(left_out: LeftOutHarness) -> None:
    drawn, other = await admit(left_out, 2)
    await redraw(left_out, drawn)
    await left_out.give_up(2)
    await left_out.publish(3, entries=2)
    await left_out.issue(drawn, other, n=3_000_000)
    await left_out.look()
    await left_out.give_up(3)
    await left_out.publish(4, entries=1)
    await left_out.issue(drawn, n=4_000_000)
    await left_out.look()
    assert [one.left_out_of for one in await left_out.contacts()] == [1_000_000, 4_000_000]
