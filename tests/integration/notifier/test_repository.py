"""Repositories of the notifier on a real database: records survive, and the state tables hold."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from services.notifier.collections import COLLECTIONS
from services.notifier.mail.repository import MailRepository
from services.notifier.post.repository import PrintBatchRepository
from services.notifier.repository import NoticeRepository
from services.notifier.rules.answers import Consequence
from services.notifier.rules.notice import Notice, PrintBatch
from services.notifier.rules.states import (
    CARD_AGAIN,
    DECISIONS,
    MAIL_AGAIN,
    NOTICES,
    REPLACEABLE,
    TO_CARD,
    TO_MAIL,
    NoticeState,
    PrintBatchState,
)
from shared.contracts import AskedNotice
from shared.errors import KujiError
from shared.ids import BatchId, CampaignId, NoticeId, new_token
from shared.storage import OperationFailure, Store
from tests.support.databases import own_database

CAMPAIGN = CampaignId("777-days")
NOW = datetime(2018, 6, 1, tzinfo=UTC)
LONG = timedelta(hours=1)

S = NoticeState
Operation = Callable[[Store, Sequence[Notice]], Awaitable[object]]


@pytest.fixture
async def store(mongo_url: str, namespace: str) -> AsyncIterator[Store]:
    async with own_database(mongo_url, f"{namespace}_notifier") as opened:
        await opened.ensure(COLLECTIONS)
        yield opened


@pytest.fixture
def notices(store: Store) -> NoticeRepository:
    return NoticeRepository(store.db)


def build(state: NoticeState, **changes: object) -> Notice:
    """Return a notice in this state, on the way that the state belongs to."""
    facts = {
        "id": f"n-{state}",
        "campaign": CAMPAIGN,
        "token": new_token(),
        "kind": "result",
        "n": 1,
        "channel": "mail",
        "way": "card" if state in {S.TO_PRINT, S.BOUNCED} else "mail",
        "state": state,
        "document": f"n-{state}",
        "created_at": NOW,
        "next_at": NOW,
    }
    return Notice.model_validate(facts | changes)


def ids(notices: Sequence[Notice]) -> list[NoticeId]:
    return [notice.id for notice in notices]


OPERATIONS: dict[str, tuple[Operation, NoticeState, frozenset[NoticeState]]] = {
    "replace": (lambda s, n: NoticeRepository(s.db).replace(ids(n)), S.REPLACED, REPLACEABLE),
    "order a mail": (lambda s, n: MailRepository(s.db).record_order(n), S.MAILING, TO_MAIL),
    "give up": (
        lambda s, _: MailRepository(s.db).give_up_waiting(CAMPAIGN, LONG),
        S.UNKNOWN,
        frozenset({S.MAILING}),
    ),
    "order a card": (
        lambda s, n: NoticeRepository(s.db).start_printing(ids(n), BatchId("p-1")),
        S.REQUESTED,
        TO_CARD - {S.UNRELEASED},
    ),
    "made": (lambda s, n: NoticeRepository(s.db).record_made(ids(n)), S.MADE, frozenset({S.REQUESTED})),
    "card failed": (
        lambda s, n: NoticeRepository(s.db).record_card_failure(ids(n), S.FAILED, NOW),
        S.FAILED,
        frozenset({S.REQUESTED}),
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_moves_exactly_the_notices_in_the_states_that_it_starts_from(
    store: Store, notices: NoticeRepository, name: str
) -> None:
    operation, target, sources = OPERATIONS[name]
    stored = [build(state, asked_at=datetime(2018, 5, 1, tzinfo=UTC)) for state in S]
    await notices.insert_missing(stored)
    await operation(store, stored)
    after = {notice.id: notice.state for notice in await notices.list_notices(CAMPAIGN)}
    assert after == {f"n-{state}": target if state in sources else state for state in S}


@pytest.mark.parametrize("target", sorted(S))
async def test_a_consequence_that_the_table_forbids_is_refused(store: Store, target: NoticeState) -> None:
    mails, forbidden = MailRepository(store.db), [state for state in S if not NOTICES.allows(state, target)]
    for state in forbidden:
        with pytest.raises(KujiError):
            await mails.settle([(build(state), Consequence(target))], NOW)


@pytest.mark.parametrize("target", sorted(DECISIONS))
async def test_a_handler_decides_only_on_notices_whose_state_asks_for_it(
    notices: NoticeRepository, target: NoticeState
) -> None:
    stored = [build(state) for state in S]
    await notices.insert_missing(stored)
    decided = {notice.state for notice in stored if await notices.decide(CAMPAIGN, notice.id, target, "a-handler", NOW)}
    assert decided == DECISIONS[target]
    after = await notices.list_notices(CAMPAIGN, target)
    assert {notice.resolved_by for notice in after if notice.id != f"n-{target}"} == {"a-handler"}


async def test_no_handler_orders_a_third_mail_or_a_card_for_an_acknowledgement(notices: NoticeRepository) -> None:
    twice, courtesy = build(S.UNKNOWN, mails=2), build(S.UNCLEAR, kind="acknowledgement")
    await notices.insert_missing([twice, courtesy])
    assert not await notices.decide(CAMPAIGN, twice.id, S.PENDING, "a-handler", NOW)
    assert not await notices.decide(CAMPAIGN, courtesy.id, S.TO_PRINT, "a-handler", NOW)


async def test_a_notice_is_read_as_it_was_written(notices: NoticeRepository) -> None:
    full = build(S.MADE, sent_at=NOW, code="5.1.1", bounced=True, print_batch="p-1", resolved_by="a-handler")
    await notices.insert_missing([full, full.model_copy(update={"id": NoticeId("n-again")})])
    assert await notices.list_notices(CAMPAIGN) == [full]


@pytest.mark.parametrize("target", [PrintBatchState.MADE, PrintBatchState.MISMATCH])
async def test_a_second_answer_does_not_change_a_print_batch(store: Store, target: PrintBatchState) -> None:
    batches, batch = PrintBatchRepository(store.db), PrintBatch(id=BatchId("p-1"), campaign=CAMPAIGN, notices=())
    await batches.insert(batch)
    assert await batches.find_requested(batch.id) == batch
    await batches.complete(batch.id, target, 2)
    await batches.complete(batch.id, PrintBatchState.MADE, 4)
    await batches.complete(batch.id, PrintBatchState.MISMATCH, 4)
    assert await batches.find_requested(batch.id) is None
    assert [(listed.state, listed.pages) for listed in await batches.list_batches(CAMPAIGN)] == [(target, 2)]


@pytest.mark.parametrize("collection", ["contacts", "slips"])
async def test_the_database_refuses_a_member_that_could_hold_a_person(store: Store, collection: str) -> None:
    documents: dict[str, dict[str, object]] = {
        "contacts": {"receipt": "W", "contact": "mail", "status": "complete", "version": 1, "revision": 1},
        "slips": {"n": 1, "slip": {}, "occasions": []},
    }
    right = {"campaign": CAMPAIGN, **documents[collection]}
    await store.db[collection].insert_one({"_id": new_token(), **right})
    with pytest.raises(OperationFailure):
        await store.db[collection].insert_one({"_id": new_token(), **right, "name": "x"})


@pytest.mark.parametrize("way", ["mail", "card"])
@pytest.mark.parametrize("state", S)
async def test_a_notice_that_is_asked_for_by_telephone_goes_once_more_from_the_states_that_allow_it(
    notices: NoticeRepository, state: NoticeState, way: Literal["mail", "card"]
):
    notice = build(state)
    await notices.insert_missing([notice])
    asked = AskedNotice(token=notice.token, kind="result", n=1, way=way, sub="yamada-01")
    allowed = state in (MAIL_AGAIN if way == "mail" else CARD_AGAIN)
    assert await notices.ask_again(asked, CAMPAIGN, NOW) is allowed
    [after] = await notices.list_notices(CAMPAIGN)
    if allowed:
        assert (after.state, after.way) == (S.PENDING if way == "mail" else S.TO_PRINT, way)
        assert after.resolved_by == "yamada-01"
        assert not await notices.ask_again(asked, CAMPAIGN, NOW)
    else:
        assert after == notice


async def test_neither_a_third_mail_nor_a_third_card_nor_a_card_of_a_courtesy_goes(notices: NoticeRepository):
    spent = [
        build(S.SENT, id="n-mails", mails=2),
        build(S.POSTED, id="n-cards", card_attempts=2),
        build(S.SENT, id="n-courtesy", kind="acknowledgement"),
        build(S.SENT, id="n-elsewhere", campaign=CampaignId("other")),
        build(S.POSTED, id="n-by-post", channel="post"),
    ]
    await notices.insert_missing(spent)
    for notice, way in zip(spent, ("mail", "card", "card", "card", "mail"), strict=True):
        asked = AskedNotice(token=notice.token, kind=notice.kind, n=1, way=way, sub="yamada-01")
        assert not await notices.ask_again(asked, CAMPAIGN, NOW)
