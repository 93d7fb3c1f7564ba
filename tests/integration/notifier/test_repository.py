"""NoticeRepository and PrintBatchRepository on a real database: records survive, and the state tables hold."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from services.notifier.collections import COLLECTIONS
from services.notifier.post.repository import PrintBatchRepository
from services.notifier.repository import ClaimLostError, NoticeRepository
from services.notifier.rules.notice import Notice, PrintBatch
from services.notifier.rules.states import DECISIONS, NOTICES, NoticeState, PrintBatchState
from shared.errors import TransientError
from shared.ids import BatchId, CampaignId, NoticeId, new_application_id, new_token
from shared.storage import Store
from tests.support.databases import own_database

CAMPAIGN = CampaignId("777-days")
NOW = datetime(2018, 6, 1, tzinfo=UTC)
MARK = "a-mark"

S = NoticeState
Operation = Callable[[NoticeRepository, Sequence[Notice]], Awaitable[object]]


@pytest.fixture
async def store(mongo_url: str, namespace: str) -> AsyncIterator[Store]:
    async with own_database(mongo_url, f"{namespace}_notifier") as opened:
        await opened.ensure(COLLECTIONS)
        yield opened


@pytest.fixture
def notices(store: Store) -> NoticeRepository:
    return NoticeRepository(store.db)


def build(state: NoticeState, **changes: object) -> Notice:
    """Return a claimed notice whose lease has ended."""
    facts = {
        "id": f"n-{state}",
        "campaign": CAMPAIGN,
        "application_id": new_application_id(),
        "token": new_token(),
        "occasion": "d-1",
        "kind": "result",
        "channel": "mail",
        "state": state,
        "created_at": NOW,
        "next_at": NOW,
        "claim": MARK,
        "lease_until": NOW - timedelta(seconds=1),
    }
    return Notice.model_validate(facts | changes)


async def begin_each(notices: NoticeRepository, stored: Sequence[Notice]) -> None:
    """Begin each; the repository raises after the write, and the caller's transaction would take it back."""
    for notice in stored:
        with suppress(ClaimLostError):
            await notices.begin_sending_text(MARK, notice.id, NOW)


async def record_each(notices: NoticeRepository, stored: Sequence[Notice]) -> None:
    for notice in stored:
        await notices.record_sent(MARK, notice.id, 250, NOW)


async def lose_each(notices: NoticeRepository, stored: Sequence[Notice]) -> None:
    for notice in stored:
        await notices.record_unknown(MARK, notice.id)


async def claim_each(notices: NoticeRepository, stored: Sequence[Notice]) -> None:
    for _ in stored:
        await notices.claim_next("other", NOW, NOW)


def ids(notices: Sequence[Notice]) -> list[NoticeId]:
    return [notice.id for notice in notices]


async def defer_each(notices: NoticeRepository, stored: Sequence[Notice]) -> None:
    for notice in stored:
        await notices.defer(MARK, notice.id, 451, NOW)


async def switch_each(notices: NoticeRepository, stored: Sequence[Notice]) -> None:
    for notice in stored:
        await notices.switch_to_post(MARK, notice.id, 550, NOW)


async def bounce_each(notices: NoticeRepository, stored: Sequence[Notice]) -> None:
    for notice in stored:
        await notices.record_bounce(CAMPAIGN, notice.id, "5.1.1", NOW)


OPERATIONS: dict[str, tuple[Operation, NoticeState]] = {
    "replace": (lambda r, n: r.replace_unsent([notice.application_id for notice in n]), S.REPLACED),
    "claim": (claim_each, S.SENDING),
    "begin": (begin_each, S.COMMITTING),
    "sent": (record_each, S.SENT),
    "answer lost": (lose_each, S.UNKNOWN),
    "refused for now": (defer_each, S.DEFERRED),
    "refused": (switch_each, S.TO_PRINT),
    "bounced": (bounce_each, S.BOUNCED),
    "print": (lambda r, n: r.start_printing(ids(n), BatchId("p-1")), S.REQUESTED),
    "made": (lambda r, n: r.record_made(ids(n), []), S.MADE),
    "failed": (lambda r, n: r.record_made([], ids(n)), S.FAILED),
}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_moves_exactly_the_notices_whose_state_the_table_allows(
    notices: NoticeRepository, name: str
) -> None:
    operation, target = OPERATIONS[name]
    stored = [build(state) for state in S]
    await notices.insert_missing(stored)
    with suppress(TransientError):  # raised after the write; the caller's transaction takes it back
        await operation(notices, stored)
    after = {notice.id: notice.state for notice in await notices.list_notices(CAMPAIGN)}
    assert after == {f"n-{state}": target if NOTICES.allows(state, target) else state for state in S}


async def test_a_released_claim_defers_only_what_was_not_sent_and_takes_the_attempt_back(
    notices: NoticeRepository,
) -> None:
    await notices.insert_missing([build(state, attempts=2) for state in S])
    await notices.release_claim(MARK, NOW)
    after = {notice.id: (notice.state, notice.attempts) for notice in await notices.list_notices(CAMPAIGN)}
    assert after == {f"n-{state}": (state, 2) for state in S} | {"n-sending": (S.DEFERRED, 1)}


async def test_a_takeover_moves_only_notices_whose_lease_has_ended(notices: NoticeRepository) -> None:
    later = NOW + timedelta(seconds=1)
    running = [build(state, id=f"n-running-{state}", lease_until=later) for state in (S.SENDING, S.COMMITTING)]
    await notices.insert_missing([*(build(state) for state in S), *running])
    await notices.take_over_expired(NOW)
    after = {notice.id: notice.state for notice in await notices.list_notices(CAMPAIGN)}
    moved = {"n-sending": S.PENDING, "n-committing": S.UNKNOWN}
    assert after == {f"n-{state}": state for state in S} | {notice.id: notice.state for notice in running} | moved


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


async def test_a_delivery_report_that_names_no_failure_is_unclear(notices: NoticeRepository) -> None:
    stored = build(S.SENT)
    await notices.insert_missing([stored])
    await notices.record_bounce(CAMPAIGN, stored.id, "2.0.0", NOW)
    assert [notice.state for notice in await notices.list_notices(CAMPAIGN)] == [S.UNCLEAR]


async def test_mail_that_no_program_can_read_is_unclear(notices: NoticeRepository) -> None:
    await notices.insert_missing([build(S.SENT)])
    await notices.record_bounce(CAMPAIGN, build(S.SENT).id, "5.0.0", NOW, is_unclear=True)
    assert [notice.state for notice in await notices.list_notices(CAMPAIGN)] == [S.UNCLEAR]


async def test_another_claim_cannot_move_a_notice(notices: NoticeRepository) -> None:
    stored = [build(S.SENDING)]
    await notices.insert_missing(stored)
    with pytest.raises(ClaimLostError):
        await notices.begin_sending_text("another-mark", stored[0].id, NOW)
    await notices.defer("another-mark", stored[0].id, 451, NOW)
    assert await notices.list_notices(CAMPAIGN) == stored


async def test_a_notice_is_read_as_it_was_written(notices: NoticeRepository) -> None:
    full = build(S.MADE, sent_at=NOW, code="5.1.1", bounced=True, print_batch="p-1", resolved_by="a-handler")
    await notices.insert_missing([full, full])
    assert await notices.list_notices(CAMPAIGN) == [full]


@pytest.mark.parametrize("target", [PrintBatchState.MADE, PrintBatchState.MISMATCH])
async def test_a_second_answer_does_not_change_a_print_batch(store: Store, target: PrintBatchState) -> None:
    batches, batch = PrintBatchRepository(store.db), PrintBatch(id=BatchId("p-1"), campaign=CAMPAIGN, notices=())
    await batches.insert(batch)
    assert await batches.find_requested(batch.id) == batch
    await batches.complete(batch.id, target, 2, "0" * 64)
    await batches.complete(batch.id, PrintBatchState.MADE, 4, "1" * 64)
    await batches.complete(batch.id, PrintBatchState.MISMATCH, 4, "1" * 64)
    assert await batches.find_requested(batch.id) is None
    assert [(listed.state, listed.pages) for listed in await batches.list_batches(CAMPAIGN)] == [(target, 2)]
