"""Certificates of erasure: what they say, how the verdict follows, and that no change to one goes unnoticed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.closeout.rules.certificate import (
    CONTEXT,
    MEMBERS,
    Approval,
    Findings,
    LogScan,
    ReturnedTo,
    issue,
    key_copies_until,
    verify_certificate,
    worst,
)
from services.vault.closeout.rules.required_stores import not_answered
from shared.canonical import canonical
from shared.contracts import StoreErasure, Verdict
from shared.signing import SigningKey

KEY = SigningKey.from_bytes(bytes(range(32)))
AT = datetime(2018, 6, 18, 9, tzinfo=UTC)


def row(store: str = "identities", result: Verdict = "PASS", left: int | None = 0) -> StoreErasure:
    return StoreErasure(store=store, before=7, after=left, residue=left, result=result)


def findings(**changes: Any) -> Findings:
    rows = [row(), row("queues")]
    return replace(
        Findings(
            certificate_id="erasure-1",
            campaign="777-days",
            contract_title="委託",
            rehearsal=False,
            approval=Approval("handler-1", "responsible-1+ward-1", "responsible-1"),
            returned=ReturnedTo("age1qqqq", "ab" * 32),
            key_fingerprint="ab" * 16,
            started_at=AT,
            finished_at=AT + timedelta(minutes=1),
            services={"intake": rows, "lottery": rows, "notifier": rows, "vault": rows},
            logs=LogScan(1, 3, 1000, 0, "PASS"),
            copies_horizon_days=None,
            key_copies_until=None,
            audit_checkpoint={"size": 3, "root": "00", "note": "kuji/audit/0000/1\n3\nAA==\n"},
        ),
        **changes,
    )


def document(**changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(issue(findings(**changes), KEY))
    return content


def failed(content: bytes, public: str = KEY.public) -> set[str]:
    return {check.name for check in verify_certificate(content, public) if not check.passed}


def test_a_certificate_has_exactly_the_documented_members() -> None:
    assert set(document()) == MEMBERS


def test_it_passes_when_every_part_was_measured_and_is_empty() -> None:
    assert document()["verdict"] == "PASS"
    assert failed(issue(findings(), KEY)) == set()


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"services": {"vault": [row(result="FAIL", left=1), row("queues")]}}, "FAIL"),
        ({"services": {"vault": [row(), row("queues")], "intake": [not_answered("intake")]}}, "UNKNOWN"),
        ({"services": {"vault": [row(result="FAIL", left=1)], "intake": [not_answered("intake")]}}, "FAIL"),
        ({"services": {"vault": [row()]}}, "UNKNOWN"),
        ({"logs": LogScan(0, 0, 0, None, "UNKNOWN")}, "UNKNOWN"),
        ({"logs": LogScan(1, 1, 1, 2, "FAIL")}, "FAIL"),
        ({"copies_horizon_days": 30, "key_copies_until": AT + timedelta(days=30)}, "PENDING"),
        ({"copies_horizon_days": 30, "key_copies_until": AT}, "PASS"),
        ({"services": {"vault": [row(), row("queues")], "lottery": [row("parked", "FAIL", 1)]}}, "FAIL"),
    ],
)
def test_one_part_that_failed_or_was_not_measured_decides(changes: dict[str, Any], verdict: Verdict) -> None:
    assert document(**changes)["verdict"] == verdict


def test_a_rehearsal_is_labelled_in_what_is_signed() -> None:
    assert document(rehearsal=True)["contract_title"] == "【訓練】委託"


def test_another_key_is_noticed() -> None:
    assert failed(issue(findings(), KEY), SigningKey.generate().public) == {"signature"}


@pytest.mark.parametrize("member", sorted(MEMBERS))
def test_a_member_taken_away_is_noticed(member: str) -> None:
    content = document()
    del content[member]
    assert failed(canonical(content))


@pytest.mark.parametrize("member", sorted(MEMBERS))
def test_a_member_changed_is_noticed(member: str) -> None:
    assert failed(canonical(document() | {member: "else"}))


def test_a_verdict_better_than_its_parts_is_noticed_though_signed() -> None:
    content = document(logs=LogScan(1, 1, 1, 2, "FAIL")) | {"verdict": "PASS"}
    assert failed(canonical(KEY.sign_in_context(CONTEXT, content))) == {"verdict"}


def test_a_store_that_passed_without_being_empty_is_noticed_though_signed() -> None:
    content = document()
    content["services"][0]["after"] = 1
    assert failed(canonical(KEY.sign_in_context(CONTEXT, content))) == {"counts"}


def test_one_person_in_two_roles_is_noticed_though_signed() -> None:
    content = document() | {"approved_by": "ward-1+handler-1"}
    assert failed(canonical(KEY.sign_in_context(CONTEXT, content))) == {"two people"}


def test_a_certificate_that_was_reformatted_is_noticed() -> None:
    assert failed(json.dumps(document(), indent=1).encode()) == {"canonical"}


@given(st.binary(max_size=200) | st.builds(lambda text: json.dumps(text).encode(), st.recursive(st.none(), st.lists)))
def test_whatever_else_is_given_is_no_certificate_and_no_crash(content: bytes) -> None:
    assert failed(content)


@given(st.lists(st.sampled_from(["PASS", "FAIL", "UNKNOWN", "PENDING"])))
def test_the_worst_result_decides_and_no_result_is_unknown(results: list[Verdict]) -> None:
    order: list[Verdict] = ["FAIL", "UNKNOWN", "PENDING", "PASS"]
    expected = next((result for result in order if result in results), "UNKNOWN")
    assert worst(results) == expected


def test_copies_are_awaited_only_where_one_is_recorded() -> None:
    assert key_copies_until(AT, None) is None
    assert key_copies_until(AT, 30) == AT + timedelta(days=30)
    assert document()["backups"] == {"horizon": None, "result": "PASS"}


def test_a_certificate_signed_without_its_context_is_noticed() -> None:
    content = {**document(), "key": KEY.name}
    assert failed(canonical(KEY.sign_document(content))) == {"signature"}
