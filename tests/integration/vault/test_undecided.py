"""Tell a person after the draw that a doubt was open at the freeze: a card to an address both gave, else telephone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest

from services.vault.deliveries.reconcile import NoticeCounter
from services.vault.deliveries.slips_repository import SlipRepository
from services.vault.identities.person import Person
from services.vault.printroom import repository as print_repository
from services.vault.printroom.open_batches import PrintedBatches
from services.vault.printroom.room import PrintRoom
from shared.approvals import ApprovalId
from shared.contracts import IssuedSlip, PrintCompleted, PrintRequested, SlipsIssued
from shared.ids import BatchId
from shared.typesetting import Typesetter
from tests.support.approval_gate import KnownApprovals
from tests.support.left_out_harness import FIRST, STRANGER, LeftOutHarness
from tests.support.mail_room_harness import mail_desk, new_notice
from tests.support.vault_parts import Known

SAME_ADDRESS = {"postal_code": FIRST.postal_code, "address": FIRST.address}


@pytest.fixture
async def left_out(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[LeftOutHarness]:
    async with mail_desk(mongo_url, namespace, tmp_path, 1, *print_repository.collections()) as one:
        await one.release("undecided", "card")
        yield LeftOutHarness(one, "undecided")


async def pair(left_out: LeftOutHarness, second: Person, **changes: object) -> tuple[Known, Known]:
    """Store two applications of which the second is held for the first."""
    first, held = await left_out.desk.vault.admit([FIRST, second])
    await left_out.behind(held, first, "held", **changes)
    return first, held


async def told(left_out: LeftOutHarness) -> list[tuple[str, str, str]]:
    """Return token, status and contact of what the vault published."""
    return [(one.token, one.status, one.contact) for one in await left_out.contacts()]


@pytest.mark.parametrize(
    ("changes", "contact", "state"),
    [
        (SAME_ADDRESS, "post", "queued"),
        ({**SAME_ADDRESS, "email": FIRST.email}, "post", "queued"),
        ({"email": FIRST.email}, "telephone", "superseded"),
        ({}, "telephone", "superseded"),
    ],
)
async def test_the_second_of_an_undecided_pair_is_told_by_card_at_an_address_both_gave_else_by_telephone(
    left_out: LeftOutHarness, changes: dict[str, str | None], contact: str, state: str
) -> None:
    first, held = await pair(left_out, replace(STRANGER, **changes))
    assert await left_out.order(held, "card") == "invalid"
    await left_out.publish()
    await left_out.publish(2)
    assert await told(left_out) == [(held.token, "undecided", contact)]
    assert await left_out.order(held, "card") == state
    assert await left_out.order(held, "mail") == "invalid"
    assert await left_out.order(first, "card") == "invalid"


@pytest.mark.parametrize("match", [True, False])
async def test_a_doubt_about_the_own_content_is_told_too_and_its_applicant_was_told_nothing_before(
    left_out: LeftOutHarness, *, match: bool
) -> None:
    _, held = await pair(left_out, replace(STRANGER, **SAME_ADDRESS), doubts=["address"])
    if not match:
        await left_out.change(held, match=None)
    await left_out.publish()
    assert await told(left_out) == [(held.token, "undecided", "post" if match else "telephone")]
    assert await left_out.order(held, "card") == ("queued" if match else "superseded")


async def test_the_address_is_that_of_the_application_in_the_draw_also_behind_another_one_in_doubt(
    left_out: LeftOutHarness,
) -> None:
    first, second, third = await left_out.desk.vault.admit(
        [FIRST, STRANGER, replace(STRANGER, name=FIRST.name, email=None)]
    )
    await left_out.behind(second, first, "held")
    await left_out.behind(third, second, "held")
    await left_out.publish()
    assert {(token, contact) for token, _, contact in await told(left_out)} == {
        (second.token, "telephone"),
        (third.token, "telephone"),
    }


async def test_an_application_decided_after_the_draw_gets_no_card_about_another_one(left_out: LeftOutHarness) -> None:
    """Answer `superseded`: the application of another person must not be told of, and the notifier telephones."""
    _, held = await pair(left_out, replace(STRANGER, **SAME_ADDRESS))
    await left_out.publish()
    await left_out.change(held, state="accepted", match=None)
    assert await left_out.order(held, "card") == "superseded"


async def test_the_next_draw_tells_again_only_what_changed(left_out: LeftOutHarness) -> None:
    first, held = await pair(left_out, replace(STRANGER, **SAME_ADDRESS))
    await left_out.publish()
    await left_out.behind(held, first, "rejected")
    await left_out.publish(2)
    assert await told(left_out) == [(held.token, "undecided", "post"), (held.token, "same-person", "post")]
    await left_out.change(held, state="accepted", match=None, reasons=[])
    await left_out.publish(3)
    assert len(await told(left_out)) == 2
    assert await left_out.order(held, "card") == "invalid"


async def test_the_counts_hold_the_undecided_and_name_a_card_that_is_missing(left_out: LeftOutHarness) -> None:
    vault = left_out.desk.vault
    first, near, far = await vault.admit([FIRST, replace(STRANGER, **SAME_ADDRESS), STRANGER])
    for one in (near, far):
        await left_out.behind(one, first, "held")
    await left_out.publish()
    counter = NoticeCounter(vault.store)
    counted = await counter.count(vault.campaign.id)
    assert (counted.undecided, counted.undecided_delivered, counted.undecided_by_telephone) == (2, 0, 1)
    assert [(missed.token, missed.n) for missed in counted.missing] == [(near.token, None)]
    assert near.receipt in "".join(await print_card(left_out, near))
    counted = await counter.count(vault.campaign.id)
    assert (counted.undecided_delivered, counted.missing) == (1, ())


async def test_who_has_a_slip_is_not_counted_as_left_out(left_out: LeftOutHarness) -> None:
    """Count the slip instead: an application may be held after it was drawn, or get a place by a correction."""
    vault = left_out.desk.vault
    _, held = await pair(left_out, replace(STRANGER, **SAME_ADDRESS))
    await left_out.publish()
    issued = SlipsIssued(campaign=vault.campaign.id, items=(IssuedSlip(token=held.token, n=1_000_000),))
    await vault.store.transact(lambda uow: SlipRepository(vault.store).add_issued(uow, issued.campaign, issued.items))
    counted = await NoticeCounter(vault.store).count(vault.campaign.id)
    assert (counted.undecided, counted.undecided_by_telephone) == (0, 0)
    assert [(missed.token, missed.n) for missed in counted.missing] == [(held.token, 1_000_000)]


async def test_a_card_that_was_ordered_is_not_printed_once_a_slip_came(left_out: LeftOutHarness) -> None:
    first, near, gone = await left_out.desk.vault.admit(
        [FIRST, replace(STRANGER, **SAME_ADDRESS), replace(STRANGER, name=FIRST.name, **SAME_ADDRESS)]
    )
    for one in (near, gone):
        await left_out.behind(one, first, "held")
    await left_out.publish()
    await left_out.issue(near, gone)
    await left_out.change(gone, state="accepted", match=None)
    await left_out.publish(2)
    assert await left_out.order(near, "card") == "superseded"
    assert await left_out.order(gone, "card") == "superseded"


async def test_a_card_that_became_a_call_is_counted_as_a_call_and_is_no_difference(left_out: LeftOutHarness) -> None:
    _, held = await pair(left_out, replace(STRANGER, **SAME_ADDRESS))
    await left_out.publish()
    await left_out.change(held, state="accepted", match=None)
    counter, campaign = NoticeCounter(left_out.desk.vault.store), left_out.desk.vault.campaign.id
    assert [missed.token for missed in (await counter.count(campaign)).missing] == [held.token]
    assert await left_out.order(held, "card") == "superseded"
    counted = await counter.count(campaign)
    assert (counted.undecided, counted.undecided_by_telephone, counted.missing) == (1, 1, ())


async def test_the_card_has_a_sentence_in_both_languages_and_nothing_of_the_other_application(
    left_out: LeftOutHarness,
) -> None:
    first, held = await pair(left_out, replace(STRANGER, **SAME_ADDRESS, name=STRANGER.name.replace("髙﨑", "高崎")))
    await left_out.publish()
    text = "".join(await print_card(left_out, held))
    flat = "".join(text.split())
    assert held.receipt in flat
    assert "抽選までに確認が終わらなかったため、抽選の対象になっていません" in flat
    assert "couldnotbecheckedbeforethedraw" in flat
    for foreign in (first.receipt, first.person.name.split()[0], first.person.email or "", "junior-football"):
        assert foreign not in flat


async def print_card(left_out: LeftOutHarness, known: Known) -> list[str]:
    """Print the notice's card and return the text of its pages."""
    desk, vault = left_out.desk, left_out.desk.vault
    room = PrintRoom(
        vault.store, vault.identities, vault.keystore, vault.audit, vault.campaigns, vault.clock, Typesetter(),
        desk.acceptance, desk.templates,
    )  # fmt: skip
    members = {"notice": new_notice(), "kind": "undecided", "channel": "card", "n": 1, "slip": None}
    order = PrintRequested(
        campaign=vault.campaign.id, batch_id=BatchId("batch-1"), items=(desk.result(known, **members),)
    )
    await vault.store.transact(lambda uow: room.on_requested([order], uow))
    (completed,) = await vault.said(PrintCompleted)
    assert isinstance(completed, PrintCompleted)
    assert len(completed.printed) == 1
    batches = PrintedBatches(vault.store, vault.keystore, vault.audit, KnownApprovals())
    pdf = await batches.pdf(vault.campaign.id, order.batch_id, ApprovalId("a-" + "0" * 20), "a-handler")
    assert pdf is not None
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_range() for page in document]
