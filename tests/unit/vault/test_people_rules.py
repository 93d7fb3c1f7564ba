"""Rules about staff: who may sign in on a day, what a password may be, who can be the second person."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from pyotp import TOTP

from services.vault.people.password_hashes import COST, PasswordHashes
from services.vault.people.rules.account import (
    STATES,
    Account,
    AccountState,
    NotAdmittedReason,
    StaffId,
    Training,
    reason_not_admitted,
)
from services.vault.people.rules.one_time import code_hash, matching_step, new_code, new_totp_secret
from services.vault.people.rules.passwords import PasswordMistake, common_passwords, find_mistake
from services.vault.people.rules.requests import RequestId, RequestKind, RequestState, RosterRequest, may_approve
from shared.errors import ConfigurationError
from shared.staff_roles import RIGHTS, Right, Role, may, table_of_rights
from shared.web.sign_in.nonce import is_fresh, make_nonce
from shared.web.sign_in.origins import parse_origins

DAY = date(2018, 5, 20)
TRAINED = Training("個人情報保護研修", date(2018, 5, 10), date(2018, 5, 31), "田中")
ACCOUNT = Account(
    id=StaffId("suzuki-01"), name="鈴木花子", office="事務局", mail="s@example.jp", roles=frozenset({Role.RESPONSIBLE}),
    starts=date(2018, 5, 15), ends=date(2018, 6, 22), tasks=(), training=(TRAINED,), pledged=date(2018, 5, 11),
    state=AccountState.ACTIVE,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "day", "reason"),
    [
        ({}, DAY, None),
        ({}, date(2018, 5, 14), NotAdmittedReason.BEFORE_ROSTER),
        ({}, date(2018, 6, 23), NotAdmittedReason.AFTER_ROSTER),
        ({}, date(2018, 6, 1), NotAdmittedReason.NO_TRAINING),
        ({"training": ()}, DAY, NotAdmittedReason.NO_TRAINING),
        ({"pledged": None}, DAY, NotAdmittedReason.NO_PLEDGE),
        ({"pledged": date(2018, 5, 21)}, DAY, NotAdmittedReason.NO_PLEDGE),
        ({"state": AccountState.INVITED}, DAY, NotAdmittedReason.NOT_ACTIVE),
        ({"state": AccountState.ENDED}, DAY, NotAdmittedReason.NOT_ACTIVE),
    ],
)
def test_only_active_pledged_trained_people_within_their_task_may_sign_in(
    changed: dict[str, Any], day: date, reason: NotAdmittedReason | None
):
    assert reason_not_admitted(replace(ACCOUNT, **changed), day) is reason


def test_an_account_shows_no_name_by_itself():
    assert "鈴木" not in repr(ACCOUNT)


def test_an_ended_account_never_comes_back():
    assert STATES.final == {AccountState.ENDED, AccountState.REFUSED}


@pytest.mark.parametrize(
    ("password", "mistake"),
    [
        ("tulip bicycle harbour seven", None),
        ("かえるが三匹、朝の橋をわたる。", None),
        ("x" * 14, PasswordMistake.TOO_SHORT),
        ("ab1cd2ef3gh4ij5" + "x" * 114, PasswordMistake.TOO_LONG),
        ("password1234567", PasswordMistake.COMMON),
        ("!!!!Password!!!!2018", PasswordMistake.COMMON),
        ("123456789012345", PasswordMistake.COMMON),
        ("abcabcabcabcabcabc", PasswordMistake.COMMON),
        ("鈴木花子-suzuki-20180515", PasswordMistake.KNOWN_WORDS),
        ("777-days-777-days-2018", PasswordMistake.KNOWN_WORDS),
    ],
)
def test_a_password_is_refused_for_its_length_its_commonness_or_its_words(
    password: str, mistake: PasswordMistake | None
):
    assert find_mistake(password, ["鈴木花子", "suzuki-01", "777-days", "新宿区"]) is mistake


def test_the_list_of_common_passwords_is_long_enough():
    assert len(common_passwords()) >= 10_000


def test_codes_are_read_as_people_write_them():
    code = new_code()
    assert len(code.replace("-", "")) == 16
    assert code_hash(code) == code_hash(code.lower().replace("-", " ")) != code_hash(new_code())
    assert code_hash("O0I1-L111-1111-1111") == code_hash("00111111 11111111")


def test_a_code_of_the_app_is_right_for_half_a_minute_around():
    secret, at = new_totp_secret(), datetime(2026, 11, 28, 12, tzinfo=UTC)
    code = TOTP(secret).at(at)
    step = matching_step(secret, f"{code[:3]} {code[3:]}", at)
    assert step == int(at.timestamp()) // 30
    assert matching_step(secret, code, at + timedelta(seconds=30)) == step
    assert matching_step(secret, code, at + timedelta(seconds=90)) is None
    assert matching_step(secret, "", at) is None


@pytest.mark.parametrize(
    ("kind", "first", "second", "allowed"),
    [
        (RequestKind.CREATE, Role.RESPONSIBLE, Role.WARD, True),
        (RequestKind.CREATE, Role.WARD, Role.RESPONSIBLE, True),
        (RequestKind.CREATE, Role.RESPONSIBLE, Role.RESPONSIBLE, False),
        (RequestKind.CREATE, Role.WARD, Role.HANDLER, False),
        (RequestKind.RESET, Role.HANDLER, Role.WARD, True),
        (RequestKind.CHANGE, Role.HANDLER, Role.WARD, False),
        (RequestKind.SUBSTITUTE, Role.HANDLER, Role.WARD, True),
        (RequestKind.SUBSTITUTE, Role.WARD, Role.RESPONSIBLE, False),
    ],
)
def test_the_second_person_has_another_role(kind: RequestKind, first: Role, second: Role, *, allowed: bool):
    request = RosterRequest(
        RequestId("r-1"), kind, StaffId("new-01"), None, StaffId("a-01"), frozenset({first}),
        datetime(2026, 11, 28, tzinfo=UTC), RequestState.WAITING,
    )  # fmt: skip
    assert may_approve(request, StaffId("b-01"), {second}) is allowed
    assert not may_approve(request, StaffId("a-01"), set(Role))
    assert not may_approve(request, StaffId("new-01"), set(Role))


def test_an_engineer_has_no_right_that_shows_a_person_and_an_auditor_acts_as_witness_only():
    technical = {Right.READ_QUEUES, Right.SETTLE_PARKED, Right.LOCK_VAULT}
    assert {right for right in RIGHTS if may([Role.ENGINEER], right)} == technical
    assert {right for right in RIGHTS if may([Role.AUDITOR], right)} == {
        Right.ENTER_DICE,
        Right.READ_ROSTER,
        Right.READ_APPLICATIONS,
        Right.READ_SUBJECT_REQUESTS,
        Right.READ_DRAWS,
        Right.READ_NOTICES,
        Right.READ_CLOSE_OUT,
        Right.READ_AUDIT_LOG,
    }


def test_the_document_shows_the_table_of_the_code():
    assert table_of_rights() in Path("docs/architecture.md").read_text("utf-8")


def test_a_nonce_is_good_for_its_browser_for_ten_minutes():
    key, at = b"k" * 32, datetime(2026, 11, 28, 12, tzinfo=UTC)
    nonce = make_nonce(key, "browser", at)
    assert len(nonce) == 48
    assert is_fresh(key, "browser", nonce, at + timedelta(minutes=10))
    assert not is_fresh(key, "browser", nonce, at + timedelta(minutes=11))
    assert not is_fresh(key, "browser", nonce, at - timedelta(minutes=1))
    assert not is_fresh(key, "other", nonce, at)
    assert not is_fresh(b"o" * 32, "browser", nonce, at)
    assert not is_fresh(key, "browser", nonce[:-1] + ("A" if nonce[-1] != "A" else "B"), at)


@pytest.mark.parametrize(
    "origins",
    [
        {"vault": "http://127.0.0.1:8104", "lottery": "http://127.0.0.1:8102"},
        {"vault": "https://kuji.example", "lottery": "https://kuji.example:8443"},
        {"lottery": "https://lottery.example"},
        {"vault": "https://vault.example/"},
        {"vault": "vault.example"},
    ],
)
def test_the_vault_does_not_start_where_another_service_would_get_its_cookies(origins: dict[str, str]):
    with pytest.raises(ConfigurationError):
        parse_origins(origins, "vault")


def test_every_service_with_its_own_host_name_starts():
    origins = {"vault": "https://vault.example", "lottery": "https://lottery.example:8443"}
    assert parse_origins(origins, "vault")["vault"].cookie("kuji-session") == "__Host-kuji-session"


class SpyingHasher(PasswordHasher):
    """Hasher of a low cost that keeps what it was asked to verify against."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=64, parallelism=1)
        self.asked: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  (as in the library)
        self.asked.append(str(hash))
        return super().verify(hash, password)


async def test_an_unknown_id_costs_the_same_work_as_a_wrong_password():
    hasher = SpyingHasher()
    hashes = PasswordHashes(hasher)
    stored = await hashes.make("tulip bicycle harbour seven")
    assert not await hashes.verify(stored, "wrong")
    assert not await hashes.verify(None, "wrong")
    wrong, unknown = hasher.asked
    assert extract_parameters(wrong) == extract_parameters(unknown)


async def test_a_password_is_hashed_by_argon2id_at_the_cost_of_the_settings():
    """Compare with COST, of which the fixture that lowers it for tests asserts first that RFC 9106 recommends it."""
    hashes = PasswordHashes()
    stored = await hashes.make("tulip bicycle harbour seven")
    parameters = extract_parameters(stored)
    assert (parameters.type, parameters.time_cost, parameters.memory_cost) == (
        Type.ID,
        COST["time_cost"],
        COST["memory_cost"],
    )
    assert await hashes.verify(stored, "tulip bicycle harbour seven")
    assert not await hashes.verify(stored, "tulip bicycle harbour seven ")
    assert not await hashes.verify(None, "a password that no account has")
