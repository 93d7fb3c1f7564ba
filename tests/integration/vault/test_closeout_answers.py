"""Answers of the other services at the vault: repeated, contradicted, incomplete; and a certificate that is pending."""

from datetime import timedelta

from services.vault.closeout.rules.stages import Stage
from tests.support.closeout_harness import CloseOutOffice, answer_of


async def answered(office: CloseOutOffice) -> str:
    """Order an erasure and let all services answer; return the erasure's id."""
    await office.give_back()
    await office.order()
    await office.answer("intake", "lottery", "notifier")
    order = (await office.record()).order
    assert order is not None
    return order.erasure_id


async def test_a_repeated_answer_changes_nothing(office: CloseOutOffice) -> None:
    erasure_id = await answered(office)
    campaign = office.vault.campaign.id
    await office.receive(answer_of("lottery", "measured", campaign=campaign, erasure_id=erasure_id))
    assert (await office.record()).contradicted == frozenset()
    await office.carry_out()
    assert (await office.certificate())["verdict"] == "PASS"


async def test_a_second_different_answer_for_one_phase_fails_the_whole(office: CloseOutOffice) -> None:
    erasure_id = await answered(office)
    campaign = office.vault.campaign.id
    other = answer_of("lottery", "measured", campaign=campaign, erasure_id=erasure_id, left={"entries": 1})
    await office.receive(other)
    await office.carry_out()
    certificate = await office.certificate()
    assert certificate["verdict"] == "FAIL"
    rows = {(row["service"], row["store"]): row["result"] for row in certificate["services"]}  # type: ignore[attr-defined]
    assert rows["lottery", "answer"] == "FAIL"


async def test_an_answer_that_leaves_a_store_out_is_unknown(office: CloseOutOffice) -> None:
    await office.give_back()
    await office.order()
    await office.answer("intake", "notifier")
    order = (await office.record()).order
    assert order is not None
    for phase in ("erased", "measured"):
        await office.receive(
            answer_of(
                "lottery",
                phase,
                campaign=office.vault.campaign.id,
                erasure_id=order.erasure_id,
                without=frozenset({"outcomes"}),
            )
        )
    await office.carry_out()
    assert (await office.certificate())["verdict"] == "UNKNOWN"


async def test_recorded_copies_of_the_keys_are_awaited_and_then_certified_again(office: CloseOutOffice) -> None:
    recorded = office.limited(copies_horizon_days=30)
    await answered(recorded)
    await recorded.carry_out()
    pending = await office.certificate()
    assert (pending["verdict"], await office.stage()) == ("PENDING", Stage.PENDING)
    assert pending["backups"] == {"horizon": "P30D", "result": "PENDING"}
    office.vault.clock.at += timedelta(days=30)
    await recorded.carry_out()
    final = await office.certificate()
    assert (final["verdict"], await office.stage()) == ("PASS", Stage.CERTIFIED)
    assert final["certificate"] == pending["certificate"]
