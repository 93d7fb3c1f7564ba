"""Roles of an approval are filled by different people, and a request that nobody can approve is known at once."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.vault.approvals.rules.approval import Approval, ApprovalState, Signature, choose_role, missing_roles
from services.vault.approvals.rules.challenge import make_challenge
from services.vault.approvals.service import RequestRefusal
from shared.approvals import RULES, ApprovalContent, ApprovalId, ApprovalKind
from shared.approvals.params import _MODELS
from shared.ids import CampaignId
from shared.staff_roles import Role

NOW = datetime(2026, 5, 20, 3, tzinfo=UTC)
CONTENT = ApprovalContent(
    ApprovalId("a-0123456789abcdef0123"), ApprovalKind.ERASE_CAMPAIGN, CampaignId("777-days"),
    {"package_sha256": "0" * 64, "applications": 2}, "due", "yamada-01", NOW, NOW + timedelta(hours=24),
)  # fmt: skip
DRAFT = Approval(CONTENT, Role.HANDLER, ApprovalState.DRAFT)
RESPONSIBLE, WARD = frozenset({Role.RESPONSIBLE}), frozenset({Role.WARD})


def signed(by: str, role: Role) -> Signature:
    return Signature(by, role, NOW, "passkey")


def test_a_handlers_erasure_needs_responsible_and_ward_and_the_last_signature_approves():
    waiting = DRAFT.with_signature(signed("yamada-01", Role.HANDLER))
    assert waiting.state is ApprovalState.WAITING
    assert waiting.role_of("suzuki-01", RESPONSIBLE, NOW) is Role.RESPONSIBLE
    half = waiting.with_signature(signed("suzuki-01", Role.RESPONSIBLE))
    assert (half.state, half.open_slots) == (ApprovalState.WAITING, (WARD,))
    assert half.with_signature(signed("mori-01", Role.WARD)).state is ApprovalState.APPROVED


def test_nobody_fills_two_roles():
    waiting = DRAFT.with_signature(signed("yamada-01", Role.HANDLER))
    assert waiting.role_of("yamada-01", RESPONSIBLE | WARD, NOW) is None
    half = waiting.with_signature(signed("suzuki-01", Role.RESPONSIBLE))
    assert half.role_of("suzuki-01", RESPONSIBLE | WARD, NOW) is None


def test_an_expired_or_undrafted_approval_takes_no_signature():
    waiting = DRAFT.with_signature(signed("yamada-01", Role.HANDLER))
    assert waiting.role_of("mori-01", WARD, CONTENT.expires) is None
    assert DRAFT.role_of("mori-01", WARD, NOW) is None
    assert replace(waiting, state=ApprovalState.REFUSED).role_of("mori-01", WARD, NOW) is None


def test_the_account_that_a_reset_concerns_approves_nothing():
    content = replace(CONTENT, kind=ApprovalKind.RESET_FACTORS, params={"account": "mori-01"})
    waiting = replace(DRAFT, content=content, state=ApprovalState.WAITING)
    assert waiting.role_of("mori-01", WARD, NOW) is None


@pytest.mark.parametrize(
    ("candidates", "missing"),
    [
        ({"suzuki-01": RESPONSIBLE, "mori-01": WARD}, ()),
        ({"mori-01": WARD}, (RESPONSIBLE,)),
        ({"both-01": RESPONSIBLE | WARD}, (RESPONSIBLE, WARD)),
        ({"both-01": RESPONSIBLE | WARD, "mori-01": WARD}, ()),
        ({"yamada-01": RESPONSIBLE, "mori-01": WARD}, (RESPONSIBLE,)),
        ({}, (RESPONSIBLE, WARD)),
    ],
)
def test_roles_that_nobody_on_duty_fills_are_named(
    candidates: dict[str, frozenset[Role]], missing: tuple[frozenset[Role], ...]
):
    assert missing_roles(DRAFT, candidates) == missing


def test_a_person_without_a_role_of_the_kind_requests_nothing():
    assert choose_role(ApprovalKind.ERASE_CAMPAIGN, WARD) is None
    assert choose_role(ApprovalKind.ERASE_CAMPAIGN, frozenset({Role.HANDLER})) is Role.HANDLER


def test_the_challenge_binds_document_person_and_the_servers_bytes():
    expected = hashlib.sha256(b"kuji/approval/2\x00" + CONTENT.to_bytes() + b"\x00mori-01\x00" + b"n" * 32).digest()
    assert make_challenge(CONTENT, "mori-01", b"n" * 32) == expected
    assert make_challenge(replace(CONTENT, reason="ward-asked"), "mori-01", b"n" * 32) != expected


def test_every_kind_state_reason_parameter_and_refusal_has_a_text():
    texts = json.loads(Path("services/vault/approvals/pages/texts/en.json").read_text("utf-8"))
    needed = {f"approval.kind.{kind}" for kind in ApprovalKind}
    needed |= {f"approval.reason.{reason}" for rule in RULES.values() for reason in rule.reasons}
    needed |= {f"approval.param.{name}" for model in _MODELS.values() for name in model.model_fields}
    needed |= {f"approval.state.{state}" for state in (*ApprovalState, "expired")}
    needed |= {f"approval.wrong.{reason}" for reason in RequestRefusal.__args__}  # type: ignore[attr-defined]
    assert needed - set(texts) == set()
