"""State tables of notices and print batches, consequences of answers and reports, and pacing."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.rules.answers import Waits, consequence, consequence_of_report
from services.notifier.rules.kinds import is_current, register_kind
from services.notifier.rules.notice import Notice
from services.notifier.rules.pacing import Pacing
from services.notifier.rules.states import (
    DECISIONS,
    INITIAL,
    NOTICES,
    PRINT_BATCHES,
    REPLACEABLE,
    REPLACEABLE_CALLS,
    SETTLED,
    TO_CARD,
    TO_MAIL,
    TOLD,
    NoticeState,
    PrintBatchState,
)
from shared.contracts import Contact, MailAnswer, MailBounced

S = NoticeState
NOW = datetime(2018, 6, 1, tzinfo=UTC)
TOKEN = "tok_rzkv5wygz9eqt0qce2yh1d9wbg"
NOTICE = Notice.model_validate(
    {
        "id": "n-1",
        "campaign": "777-days",
        "token": TOKEN,
        "kind": "result",
        "n": 1_000_000,
        "channel": "mail",
        "way": "mail",
        "document": "n-1",
        "state": S.MAILING,
        "attempts": 1,
        "created_at": NOW,
        "next_at": NOW,
    }
)
WAITS = st.lists(st.floats(0, 10_000), max_size=6)


def notice(**changes: Any) -> Notice:
    """Return the notice with some members changed."""
    return NOTICE.model_copy(update=changes)


def answer(name: str, code: int | None = None, **more: Any) -> MailAnswer:
    return MailAnswer.model_validate({"notice": "n-1", "attempt": 1, "answer": name, "code": code, **more})


def report(status: str, verdict: str = "bounced") -> MailBounced:
    return MailBounced.model_validate(
        {"campaign": "777-days", "notice_id": "n-1", "status": status, "verdict": verdict}
    )


def contact(**changes: Any) -> Contact:
    facts = {
        "receipt": "W-7K3M-9Q2P-6",
        "token": TOKEN,
        "contact": "mail",
        "status": "complete",
        "version": 1,
        "revision": 1,
    }
    return Contact.model_validate(facts | changes)


def reachable(start: NoticeState, without: frozenset[NoticeState] = frozenset()) -> set[NoticeState]:
    """Return the states that can follow `start`, itself included, on ways that avoid some states."""
    reached, open_states = {start}, [start]
    while open_states:
        new = NOTICES.after[open_states.pop()] - reached - without
        reached |= new
        open_states += new
    return reached


def test_each_state_is_in_the_table_and_can_be_reached() -> None:
    assert set(NOTICES.after) == set(S)
    assert reachable(S.PENDING) | reachable(S.TO_PRINT) == set(S)


def test_a_state_that_nothing_follows_means_that_the_applicant_was_told_or_has_a_newer_notice() -> None:
    assert NOTICES.final <= SETTLED
    assert {S.SENT, S.POSTED, S.PHONED} == TOLD
    assert not TOLD & {S.MAILING, S.MADE, S.FETCHED, S.COUNTED, S.BOUNCED, S.UNDELIVERED, S.RETURNED}


@pytest.mark.parametrize("state", sorted(S))
def test_an_applicant_can_be_told_from_each_state(state: NoticeState) -> None:
    assert reachable(state) & SETTLED


def test_an_unknown_mail_is_ordered_again_only_by_a_handler() -> None:
    """See ADR 12: PENDING follows UNKNOWN as a decision alone: no answer of the mail room leads there."""
    assert not NOTICES.after[S.UNKNOWN] & {S.MAILING, S.DEFERRED, S.UNRELEASED}
    assert S.UNKNOWN in DECISIONS[S.PENDING]
    outcomes = {consequence(answer(name), NOTICE, 1, Waits((1,), 1)).state for name in ANSWERS}
    assert S.PENDING not in outcomes


def test_mail_may_become_post_but_post_never_becomes_mail() -> None:
    """See ADR 12. Only a handler's decision on an order that the vault refused asks for the way by mail again."""
    by_post = reachable(S.TO_PRINT, frozenset({S.INVALID, S.UNRELEASED, S.REPLACED}))
    assert not by_post & {S.PENDING, S.MAILING, S.SENT}
    assert INITIAL == {"mail": S.PENDING, "post": S.TO_PRINT, "telephone": S.TO_PHONE}


def test_what_may_be_told_by_telephone_only_is_never_printed_or_mailed() -> None:
    assert reachable(S.TO_PHONE, frozenset({S.REPLACED})) <= {S.TO_PHONE, S.PHONED}


def test_a_card_is_posted_only_after_it_was_made_fetched_and_counted() -> None:
    way = [S.TO_PRINT, S.REQUESTED, S.MADE, S.FETCHED, S.COUNTED, S.POSTED, S.RETURNED]
    for before, after in itertools.pairwise(way):
        assert NOTICES.allows(before, after)
    for state in (S.MADE, S.FETCHED, S.COUNTED, S.POSTED):
        assert NOTICES.before(state) == [way[way.index(state) - 1]]


def test_handlers_and_queues_move_notices_only_as_the_table_allows() -> None:
    moves = {**DECISIONS, S.MAILING: TO_MAIL, S.REQUESTED: TO_CARD, S.REPLACED: REPLACEABLE | REPLACEABLE_CALLS}
    for target, sources in moves.items():
        assert all(NOTICES.allows(source, target) for source in sources), target


def test_a_print_batch_ends_posted_empty_or_ordered_again() -> None:
    assert set(PRINT_BATCHES.after) == set(PrintBatchState)
    assert PRINT_BATCHES.final == {PrintBatchState.POSTED, PrintBatchState.EMPTY, PrintBatchState.REORDERED}


ANSWERS = {
    "sent": S.SENT,
    "refused": S.TO_PRINT,
    "later": S.DEFERRED,
    "unknown": S.UNKNOWN,
    "not-released": S.UNRELEASED,
    "superseded": S.REPLACED,
    "invalid": S.INVALID,
}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_answer_leads_to_a_state_that_the_table_allows(name: str) -> None:
    after = consequence(answer(name), NOTICE, 1, Waits((1,), 1))
    assert after.state is ANSWERS[name]
    assert NOTICES.allows(S.MAILING, after.state)


@given(st.integers(400, 499), st.integers(0, 20), WAITS)
def test_a_temporary_refusal_is_retried_once_per_wait_and_then_goes_by_post(
    code: int, deferrals: int, waits: Sequence[float]
) -> None:
    after = consequence(answer("later", code), notice(deferrals=deferrals), 1, Waits(waits, 1))
    is_left = deferrals < len(waits)
    assert (after.state is S.DEFERRED, after.state is S.TO_PRINT) == (is_left, not is_left)
    assert not is_left or after.wait_s == waits[deferrals]


@given(st.integers(1, 1000), st.floats(0.1, 2000))
def test_the_wait_for_a_release_grows_to_a_quarter_of_an_hour(attempts: int, first: float) -> None:
    wait = Waits((), first).until_release(attempts)
    assert first <= wait <= max(first, 900)


def test_an_acknowledgement_that_does_not_arrive_becomes_no_card() -> None:
    courtesy = notice(kind="acknowledgement", n=1)
    assert consequence(answer("refused", 550), courtesy, 1, Waits((1,), 1)).state is S.UNDELIVERED
    assert consequence(answer("later", 450), courtesy, 1, Waits((), 1)).state is S.UNDELIVERED
    assert consequence_of_report(report("5.1.1"), courtesy).state is S.UNDELIVERED
    assert not reachable(S.UNDELIVERED, frozenset({S.PENDING, S.REPLACED})) & {S.TO_PRINT, S.REQUESTED}


def test_a_report_without_a_failure_is_unclear() -> None:
    assert consequence_of_report(report("2.0.0"), NOTICE).state is S.UNCLEAR
    assert consequence_of_report(report("5.0.0", "unclear"), NOTICE).state is S.UNCLEAR
    assert consequence_of_report(report("5.1.1"), NOTICE).state is S.BOUNCED


@pytest.mark.parametrize(("name", "code"), [("refused", 554), ("invalid", None)])
def test_a_mail_to_several_that_is_refused_as_a_whole_is_sent_one_by_one(name: str, code: int | None) -> None:
    after = consequence(answer(name, code), notice(bulk=True), 3, Waits((), 1))
    assert (after.state, after.alone, after.deferrals) == (S.DEFERRED, True, 0)


def test_one_recipient_of_several_who_is_refused_goes_by_post_alone() -> None:
    refused = answer("sent", 250, refused=[{"token": TOKEN, "code": 550}])
    other = notice(bulk=True, token="tok_00000000000000000000000000")
    assert consequence(refused, notice(bulk=True), 2, Waits((), 1)).state is S.TO_PRINT
    assert consequence(refused, other, 2, Waits((), 1)).state is S.SENT


def test_the_register_asks_for_a_rejection_or_an_acknowledgement_by_mail() -> None:
    assert register_kind(contact(), None) == "acknowledgement"
    assert register_kind(contact(contact="post"), None) is None
    assert register_kind(contact(), 1_000_000) is None
    assert register_kind(contact(status="rejected"), None) == "rejected"
    assert register_kind(contact(status="rejected", contact="post"), None) == "rejected"
    undecided = contact(status="undecided", contact="telephone")
    assert (register_kind(undecided, None), register_kind(undecided, 1_000_000)) == ("undecided", None)


@pytest.mark.parametrize(
    ("kind", "n", "of_register", "slip_number", "current"),
    [
        ("result", 1_000_000, contact(), 1_000_000, True),
        ("result", 1_000_000, contact(), 1_000_001, False),
        ("acknowledgement", 1, contact(), None, True),
        ("acknowledgement", 1, contact(version=2), None, False),
        ("acknowledgement", 1, contact(), 1_000_000, False),
        ("acknowledgement", 1, contact(status="rejected"), None, False),
        ("rejected", 1, contact(status="rejected"), None, True),
        ("rejected", 1, contact(), None, False),
        ("rejected", 1, contact(version=2, status="rejected"), None, False),
        ("undecided", 1, contact(status="undecided"), None, True),
        ("undecided", 1, contact(), None, True),
        ("undecided", 1, contact(status="undecided"), 1_000_000, False),
        ("undecided", 1, contact(status="rejected"), None, False),
    ],
)
def test_a_newer_slip_or_contact_makes_a_notice_old(
    kind: str, n: int, of_register: Contact, slip_number: int | None, current: Literal[True, False]
) -> None:
    assert is_current(notice(kind=kind, n=n), of_register, slip_number) is current
    assert is_current(notice(kind=kind, n=n, bulk=True), of_register, slip_number)


@given(st.lists(st.tuples(st.sampled_from(["docomo", "gmail", None]), st.floats(0, 2)), max_size=40))
def test_no_class_of_mail_domains_is_mailed_faster_than_its_pace(turns: list[tuple[str | None, float]]) -> None:
    now, rate = [0.0], 2.0
    pacing = Pacing({"docomo": rate}, lambda: now[0])
    begun = []
    for name, pause in turns:
        if pacing.allowances().get(name or "", 1) >= 1:
            pacing.spend(name, 1)
            begun += [now[0]] if name == "docomo" else []
        now[0] += pause
    assert all(later - earlier >= 1 / rate - 1e-9 for earlier, later in itertools.pairwise(begun))


def test_a_mail_to_many_recipients_is_paid_back_before_the_next() -> None:
    now = [0.0]
    pacing = Pacing({"docomo": 10.0}, lambda: now[0])
    pacing.spend("docomo", 50)
    now[0] = 4.9
    assert pacing.allowances()["docomo"] < 1
    now[0] = 5.01
    assert pacing.allowances()["docomo"] >= 1
