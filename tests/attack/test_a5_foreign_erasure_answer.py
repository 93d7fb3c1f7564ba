"""Attack a5: a holder of intake's broker account and key answers for the lottery, which is stopped."""

from collections.abc import Awaitable, Callable

from shared.contracts import ErasureCompleted
from shared.messaging import Bus
from tests.support.closeout_harness import CloseOutOffice, answer_of
from tests.support.waiting import until


async def test_an_answer_for_another_service_does_not_count(
    buses: Callable[[str], Awaitable[Bus]], office: CloseOutOffice
) -> None:
    """On commit 684719a the certificate said PASS, with the lottery's entries left."""
    await office.give_back()
    await office.order()
    await office.answer("intake", "notifier")
    vault, intake = await buses("vault"), await buses("intake")
    vault.consume(ErasureCompleted, office.answers.on_completed)
    await vault.start()
    order = (await office.record()).order
    assert order is not None
    for phase in ("erased", "measured"):
        forged = answer_of(
            "lottery", phase, campaign=office.vault.campaign.id, erasure_id=order.erasure_id, signer="intake"
        )
        await intake.publish(forged)
    await until(lambda: _all_parked(vault))
    assert "lottery" not in (await office.record()).answers
    await office.limited(answers_s=0.001).carry_out()
    certificate = await office.certificate()
    assert certificate["verdict"] == "UNKNOWN"
    rows = [row for row in certificate["services"] if row["service"] == "lottery"]  # type: ignore[attr-defined]
    assert [(row["store"], row["result"]) for row in rows] == [("all", "UNKNOWN")]


async def _all_parked(vault: Bus) -> bool:
    """Return True if the vault has set both forged answers aside: another service signed them."""
    return (await vault.queue_depths())["vault.parked"] == 2
