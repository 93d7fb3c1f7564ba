"""Rows that follow from a service's answer: no store is left out, and no PASS stands against its own counts."""

import pytest

from services.vault.closeout.rules.required_stores import (
    OTHER_SERVICES,
    REQUIRED_STORES,
    answered_rows,
    confirmed_tombstones,
)
from shared.contracts import StoreErasure, Verdict
from tests.support.closeout_harness import answer_of

SERVICES = sorted(REQUIRED_STORES)


def results(service: str, *, contradicted: bool = False, **changes: object) -> dict[str, Verdict]:
    answer = answer_of(service, "measured", campaign="777-days", erasure_id="e-1", **changes)  # type: ignore[arg-type]
    return {row.store: row.result for row in answered_rows(service, answer, contradicted=contradicted)}


@pytest.mark.parametrize("service", OTHER_SERVICES)
def test_a_complete_answer_passes(service: str) -> None:
    assert results(service) == dict.fromkeys(REQUIRED_STORES[service], "PASS")


@pytest.mark.parametrize(
    ("service", "store"), [(service, store) for service in OTHER_SERVICES for store in sorted(REQUIRED_STORES[service])]
)
def test_a_store_that_the_answer_leaves_out_is_unknown(service: str, store: str) -> None:
    assert results(service, without=frozenset({store}))[store] == "UNKNOWN"


def test_two_different_answers_for_one_phase_fail() -> None:
    assert results("notifier", contradicted=True)["answer"] == "FAIL"


def test_a_service_that_contradicted_itself_and_then_fell_silent_fails() -> None:
    assert [row.result for row in answered_rows("notifier", None, contradicted=True)] == ["FAIL", "UNKNOWN"]


@pytest.mark.parametrize(
    ("after", "residue", "expected"), [(1, 1, "FAIL"), (0, 1, "FAIL"), (None, None, "UNKNOWN"), (0, None, "UNKNOWN")]
)
def test_a_pass_that_the_counts_do_not_support_is_judged_again(
    after: int | None, residue: int | None, expected: Verdict
) -> None:
    answer = answer_of("notifier", "measured", campaign="777-days", erasure_id="e-1")
    row = StoreErasure(store="notices", before=1, after=after, residue=residue, result="PASS")
    others = tuple(store for store in answer.stores if store.store != "notices")
    rows = answered_rows("notifier", answer.model_copy(update={"stores": (*others, row)}), contradicted=False)
    assert {row.store: row.result for row in rows}["notices"] == expected


def test_t_needs_the_tombstone_of_every_service() -> None:
    assert confirmed_tombstones(OTHER_SERVICES)
    assert not confirmed_tombstones(OTHER_SERVICES[1:])
