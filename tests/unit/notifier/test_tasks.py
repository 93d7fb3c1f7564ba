"""Tasks that the page shows to handlers."""

import pytest

from services.notifier.rules.notice import PrintBatch
from services.notifier.rules.states import NoticeState, PrintBatchState
from services.notifier.rules.tasks import open_tasks
from shared.ids import BatchId, CampaignId

S, B = NoticeState, PrintBatchState
BY_ITSELF = {
    S.PENDING, S.MAILING, S.DEFERRED, S.SENT, S.BOUNCED, S.TO_PRINT, S.REQUESTED, S.POSTED, S.PHONED, S.REPLACED,
}  # fmt: skip
"""States that lead on without a person, or that need nothing."""

ON_PAPER = {S.MADE, S.FETCHED, S.COUNTED}
"""States whose task is the print batch's."""


def batch(state: PrintBatchState) -> PrintBatch:
    return PrintBatch(id=BatchId("p-1"), campaign=CampaignId("777-days"), notices=(), state=state, pages=8)


@pytest.mark.parametrize("state", sorted(S))
def test_each_state_that_waits_for_a_person_is_a_task(state: NoticeState) -> None:
    tasks = open_tasks({state: 3}, [], 0)
    assert [task.count for task in tasks] == ([] if state in BY_ITSELF | ON_PAPER else [3])


@pytest.mark.parametrize("state", sorted(B))
def test_each_batch_that_waits_for_a_person_is_a_task(state: PrintBatchState) -> None:
    tasks = [(task.code, task.count, task.batch) for task in open_tasks({}, [batch(state)], 0)]
    codes = {B.MISMATCH: "reorder", B.MADE: "fetch", B.FETCHED: "count", B.COUNTED: "post"}
    assert tasks == ([(codes[state], 4, "p-1")] if state in codes else [])


def test_a_silent_mail_room_is_the_first_task() -> None:
    assert [task.code for task in open_tasks({S.UNKNOWN: 1}, [], 5)] == ["silent", "unknown"]
