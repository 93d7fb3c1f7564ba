"""Tasks that the page shows to handlers."""

from collections import Counter

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


@pytest.mark.parametrize("state", ["failed", "returned", "to_phone"])
def test_who_was_left_out_undecided_is_telephoned_with_the_words_for_it(state: str) -> None:
    """Say nothing of another application, also where a card was tried first."""
    tasks = open_tasks({NoticeState(state): 3}, [], 0, undecided={NoticeState(state): 2})
    others = "by-telephone" if state == S.TO_PHONE else "telephone"
    assert Counter({task.code: task.count for task in tasks}) == Counter({"by-telephone": 2}) + Counter({others: 1})


def test_a_silent_mail_room_is_the_first_task() -> None:
    assert [task.code for task in open_tasks({S.UNKNOWN: 1}, [], 5)] == ["silent", "unknown"]
