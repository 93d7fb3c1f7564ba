"""The lottery keeps the notifier's newest counts, in whatever order they arrive."""

from datetime import UTC, datetime, timedelta

import pytest

from services.lottery.draw.notice_progress import NoticeProgress, NoticeProgressRepository, on_notices_counted
from shared.contracts import NoticeCount, NoticesCounted
from tests.support.lottery_harness import Town

AT = datetime(2018, 6, 8, 12, tzinfo=UTC)


def counted(town: Town, minutes: int, to_tell: int) -> NoticesCounted:
    return NoticesCounted(
        campaign=town.campaign.id,
        counted_at=AT + timedelta(minutes=minutes),
        told=5,
        to_tell=to_tell,
        to_telephone=1,
        counts=(
            NoticeCount(kind="result", channel="mail", state="sent", count=5),
            NoticeCount(kind="result", channel="card", state="to_print", count=to_tell),
            NoticeCount(kind="acknowledgement", channel="mail", state="sent", count=40),
        ),
    )


async def test_older_counts_change_nothing(town: Town):
    store = town.office.store
    assert await NoticeProgressRepository(store).find(town.campaign.id) is None

    await store.transact(lambda uow: on_notices_counted([counted(town, 1, 3)], uow))
    await store.transact(lambda uow: on_notices_counted([counted(town, 9, 2), counted(town, 5, 4)], uow))

    newest = NoticeProgress(AT + timedelta(minutes=9), notified=5, to_tell=2, to_telephone=1, results=7)
    assert await NoticeProgressRepository(store).find(town.campaign.id) == newest


@pytest.mark.parametrize(
    ("results", "to_tell", "to_telephone", "complete"),
    [(7, 0, 0, True), (6, 0, 0, False), (7, 1, 0, False), (7, 0, 1, False)],
)
def test_notices_are_complete_when_all_results_arrived_and_no_applicant_is_left(
    results: int, to_tell: int, to_telephone: int, *, complete: bool
):
    assert NoticeProgress(AT, 0, to_tell, to_telephone, results).is_complete(7) is complete
