"""Notices by post, delivery reports, and the end: the count must match, and nothing may stay."""

from collections.abc import Sequence

import pytest

from shared.contracts import (
    CardFailure,
    ErasureCompleted,
    ErasureRequested,
    MailBounced,
    PrintCompleted,
    PrintRequested,
)
from shared.ids import NoticeId, new_token
from tests.support.mail_server import MailServer
from tests.support.notifier_harness import PASS, SHOWN, House, until


def completed(
    ordered: PrintRequested, *, missing: int = 0, failed: int = 0, pages: int | None = None
) -> PrintCompleted:
    """What the vault's print room says of a batch; `missing`: cards it says nothing of."""
    ids = [item.notice_id for item in ordered.items][missing:]
    lost, printed = ids[:failed], ids[failed:]
    return PrintCompleted(
        campaign=ordered.campaign,
        batch_id=ordered.batch_id,
        pages=2 * len(printed) if pages is None else pages,
        printed=tuple(printed),
        failed=tuple(CardFailure(notice_id=each, reason="unknown-token") for each in lost),
        sha256="0" * 64,
    )


async def on_paper(house: House, count: int) -> list:  # type: ignore[type-arg]
    return await house.people(count, dict.fromkeys(range(count)))


async def test_those_without_mail_get_postcards_ordered_by_token_without_a_name(house: House, mta: MailServer) -> None:
    (known,) = await on_paper(house, 1)
    async with house.notifier() as http:
        await house.announce([known], "won")
        ordered = await house.told(PrintRequested)
        await house.say(completed(ordered))
        await house.settled(printed=1)
        batches = (await http.get("/print-batches")).json()["batches"]
    (card,) = ordered.items
    assert (card.token, card.pass_code, [each.code for each in card.passes]) == (known.token, PASS, [SHOWN])
    assert "{{kuji:name}}" in card.body
    assert known.person.name not in ordered.model_dump_json()
    assert [(each["state"], each["cards"], each["pages"]) for each in batches] == [("printed", 1, 2)]
    assert mta.mails == []


async def test_many_cards_go_in_batches_that_the_print_room_can_take(house: House) -> None:
    known = await on_paper(house, 250)
    async with house.notifier(gather_s=1.5):
        await house.announce(known, "lost")
        orders = [await house.told(PrintRequested) for _ in range(2)]
        await house.say(*(completed(each) for each in orders))
        await house.settled(printed=250)
    assert [len(each.items) for each in orders] == [200, 50]
    assert {item.token for each in orders for item in each.items} == {each.token for each in known}


@pytest.mark.parametrize("wrong", [{"missing": 1}, {"pages": 5}])
async def test_a_count_that_does_not_match_is_seen_and_nobody_counts_as_told(
    house: House, wrong: dict[str, int]
) -> None:
    known = await on_paper(house, 3)
    async with house.notifier() as http:
        await house.announce(known, "lost")
        await house.say(completed(await house.told(PrintRequested), **wrong))
        await until(lambda: _batches_are(house, "mismatch"))
        summary = (await http.get("/summary")).json()
    assert await house.states() == {"printing": 3}
    assert summary["print_batches"] == {"mismatch": 1}
    assert summary["unfinished"] == 3


async def test_whom_no_card_can_reach_is_said_to_have_failed(house: House) -> None:
    known = await on_paper(house, 3)
    async with house.notifier():
        await house.announce(known, "lost")
        await house.say(completed(await house.told(PrintRequested), failed=1))
        await house.settled(printed=2, failed=1)


async def test_a_refused_mailbox_leads_to_a_postcard_with_the_same_result(house: House) -> None:
    known = await house.people(1, {0: "reject-5xx.a@m.example"})
    async with house.notifier():
        await house.announce(known, "won")
        ordered = await house.told(PrintRequested)
        await house.say(completed(ordered))
        await house.settled(printed=1)
    assert "当選" in ordered.items[0].body
    assert ordered.items[0].pass_code == PASS


async def test_a_mail_that_came_back_leads_to_a_postcard_for_those_it_was_sent_to(house: House) -> None:
    losers = await house.people(3)
    async with house.notifier() as http:
        await house.announce(losers, "lost")
        await house.settled(mailed=3)
        batch = (await house.notices())[losers[0].application_id]["batch_id"]
        await house.say(
            _bounce(house, batch, losers[1].token),
            _bounce(house, batch, new_token()),
            _bounce(house, "m-other", losers[2].token),
        )
        ordered = await house.told(PrintRequested)
        await house.say(completed(ordered))
        await house.settled(mailed=2, printed=1)
        summary = (await http.get("/summary")).json()
    assert [item.token for item in ordered.items] == [losers[1].token]
    assert (summary["bounced"], summary["postcards"], summary["bcc_batches"]) == (1, 1, 1)


async def test_a_report_that_comes_again_prints_no_second_card(house: House) -> None:
    (known,) = await house.people(1)
    async with house.notifier():
        await house.announce([known], "won")
        await house.settled(mailed=1)
        notice = (await house.notices())[known.application_id]["_id"]
        await house.say(_bounce(house, notice, known.token))
        await house.say(completed(await house.told(PrintRequested)))
        await house.settled(printed=1)
        await house.say(_bounce(house, notice, known.token))
        await house.say(*house.contacts(await house.people(1, first=5), status="rejected", reasons=("grade",)))
        await house.settled(printed=1, mailed=1)


async def test_the_summary_says_what_is_open_against_the_deadline(house: House) -> None:
    known = await on_paper(house, 2)
    async with house.notifier(gather_s=60) as http:
        await house.announce(known, "won")
        await house.settled(to_print=2)
        summary = (await http.get("/summary")).json()
    assert summary["unfinished"] == 2
    assert summary["deadline"]["missed"] is True
    assert summary["deadline"]["notify_by"] == house.campaign.notify_by.isoformat()


async def test_an_erasure_leaves_nothing_and_says_what_it_counted(house: House) -> None:
    known: Sequence = [*await house.people(4), *await house.people(2, {0: None, 1: None}, first=10)]  # type: ignore[type-arg]
    async with house.notifier():
        await house.announce(known, "lost")
        await house.say(completed(await house.told(PrintRequested)))
        await house.settled(mailed=4, printed=2)
        await house.say(ErasureRequested(campaign=house.campaign.id, erasure_id="e-1"))
        done = await house.told(ErasureCompleted)
    counted = {each.store: (each.before, each.after, each.result) for each in done.stores}
    assert counted["contacts"] == counted["results"] == counted["notices"] == (6, 0, "PASS")
    assert counted["print_batches"] == (1, 0, "PASS")
    assert all(each.result == "PASS" for each in done.stores)
    names = await house.store.db.list_collection_names()
    kept = "".join([repr(each) for name in names for each in await house.store.db[name].find().to_list(None)])
    assert not any(each.token in kept or each.application_id in kept for each in known)


def _bounce(house: House, notice: str, token: str) -> MailBounced:
    return MailBounced.model_validate(
        {"campaign": house.campaign.id, "notice_id": NoticeId(notice), "token": token, "status": "5.1.1"}
    )


async def _batches_are(house: House, state: str) -> bool:
    found = await house.store.db["print_batches"].find().to_list(None)
    return [each["state"] for each in found] == [state]
