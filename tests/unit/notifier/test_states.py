"""State tables of notices and print batches, consequences of reply codes, and pacing."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.rules.pacing import Pacing
from services.notifier.rules.replies import next_attempt_at, state_after_refusal
from services.notifier.rules.states import (
    DECISIONS,
    INITIAL,
    NOTICES,
    PRINT_BATCHES,
    SETTLED,
    TOLD,
    NoticeState,
    PrintBatchState,
)

S = NoticeState
NOW = datetime(2018, 6, 1, tzinfo=UTC)
WAITS = st.lists(st.floats(0, 10_000), max_size=6)


def reachable(start: NoticeState) -> set[NoticeState]:
    """Return the states that can follow `start`, itself included."""
    reached, open_states = {start}, [start]
    while open_states:
        new = NOTICES.after[open_states.pop()] - reached
        reached |= new
        open_states += new
    return reached


def test_each_state_is_in_the_table_and_can_be_reached() -> None:
    assert set(NOTICES.after) == set(S)
    assert reachable(S.PENDING) | reachable(S.TO_PRINT) == set(S)


def test_a_state_that_nothing_follows_means_that_the_applicant_was_told_or_has_a_newer_notice() -> None:
    assert NOTICES.final <= SETTLED
    assert {S.SENT, S.POSTED, S.PHONED} == TOLD
    assert not TOLD & {S.MADE, S.FETCHED, S.COUNTED, S.BOUNCED, S.RETURNED}


@pytest.mark.parametrize("state", sorted(S))
def test_an_applicant_can_be_told_from_each_state(state: NoticeState) -> None:
    assert reachable(state) & SETTLED


def test_only_a_refusal_by_the_mail_server_leads_from_committing_to_another_attempt() -> None:
    """See ADR 12: `unknown` never leads to another attempt by mail."""
    after_commit = NOTICES.after[S.COMMITTING] | NOTICES.after[S.UNKNOWN] | NOTICES.after[S.SENT]
    assert not after_commit & {S.SENDING, S.PENDING}
    assert not reachable(S.UNKNOWN) & {S.PENDING, S.SENDING, S.COMMITTING, S.DEFERRED}


def test_mail_may_become_post_but_post_never_becomes_mail() -> None:
    assert not reachable(S.TO_PRINT) & {S.PENDING, S.SENDING, S.COMMITTING, S.SENT}
    assert INITIAL == {"mail": S.PENDING, "post": S.TO_PRINT}


def test_a_card_is_posted_only_after_it_was_made_fetched_and_counted() -> None:
    way = [S.TO_PRINT, S.REQUESTED, S.MADE, S.FETCHED, S.COUNTED, S.POSTED, S.RETURNED]
    for before, after in itertools.pairwise(way):
        assert NOTICES.allows(before, after)
    for state in (S.MADE, S.FETCHED, S.COUNTED, S.POSTED):
        assert NOTICES.before(state) == [way[way.index(state) - 1]]


def test_a_handler_decides_only_where_the_table_allows_it() -> None:
    for target, sources in DECISIONS.items():
        assert all(NOTICES.allows(source, target) for source in sources)


def test_a_print_batch_ends_posted_empty_or_ordered_again() -> None:
    assert set(PRINT_BATCHES.after) == set(PrintBatchState)
    assert PRINT_BATCHES.final == {PrintBatchState.POSTED, PrintBatchState.EMPTY, PrintBatchState.REORDERED}


@given(st.integers(400, 499), st.integers(1, 20), WAITS)
def test_a_temporary_refusal_is_retried_once_per_wait_and_then_goes_by_post(
    code: int, attempt: int, waits: Sequence[float]
) -> None:
    assert (state_after_refusal(code, attempt, waits) is S.DEFERRED) == (attempt <= len(waits))


@given(st.integers(200, 999).filter(lambda code: code // 100 != 4), st.integers(1, 20), WAITS)
def test_a_final_refusal_goes_by_post(code: int, attempt: int, waits: Sequence[float]) -> None:
    assert state_after_refusal(code, attempt, waits) is S.TO_PRINT


@given(st.integers(1, 20), st.lists(st.floats(0, 10_000), min_size=1, max_size=6))
def test_each_attempt_has_a_wait_of_its_own(attempt: int, waits: Sequence[float]) -> None:
    expected = waits[min(attempt, len(waits)) - 1]
    assert next_attempt_at(NOW, attempt, waits) == NOW + timedelta(seconds=expected)
    assert next_attempt_at(NOW, attempt, ()) == NOW


@given(st.lists(st.tuples(st.sampled_from(["docomo", "gmail", None]), st.floats(0, 2)), max_size=40))
def test_no_class_of_mail_domains_is_mailed_faster_than_its_pace(turns: list[tuple[str | None, float]]) -> None:
    now, rate = [0.0], 2.0
    pacing = Pacing({"docomo": rate}, lambda: now[0])
    begun = []
    for name, pause in turns:
        wait = pacing.reserve(name)
        assert wait == 0 or name == "docomo"
        if name == "docomo":
            begun.append(now[0] + wait)
        now[0] += pause
    assert all(later - earlier >= 1 / rate - 1e-9 for earlier, later in itertools.pairwise(begun))
