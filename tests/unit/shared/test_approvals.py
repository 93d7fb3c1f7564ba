"""The executed approval is verified offline, for exactly one act; the table of kinds is complete."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.approvals import (
    RULES,
    ApprovalContent,
    ApprovalId,
    ApprovalKind,
    ApprovalRefusedError,
    GivenApproval,
    WrongParamsError,
    check_params,
    read_approval,
    table_of_kinds,
    write_approval,
)
from shared.canonical import canonical
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.signing import SigningKey, signed_bytes, verify
from shared.staff_roles import Role

NOW = datetime(2026, 5, 20, 3, tzinfo=UTC)
CAMPAIGN = CampaignId("777-days")
VAULT, STRANGER = SigningKey.from_bytes(b"v" * 32), SigningKey.from_bytes(b"s" * 32)
PARAMS = {"draw": 1, "held": 3, "undecided": 0}
CONTENT = ApprovalContent(
    ApprovalId("a-0123456789abcdef0123"), ApprovalKind.FREEZE_INCOMPLETE, CAMPAIGN, PARAMS, "count-agreed",
    "suzuki-01", NOW, NOW + timedelta(hours=24),
)  # fmt: skip
GIVEN = [GivenApproval(Role.WARD, NOW, "passkey")]


def executed(signing: SigningKey = VAULT, given: list[GivenApproval] = GIVEN) -> JsonObject:
    return write_approval(signing, CONTENT, given, NOW)


def read(document: JsonObject, **changed: Any) -> ApprovalContent:
    act = {
        "kind": ApprovalKind.FREEZE_INCOMPLETE, "campaign": CAMPAIGN, "params": PARAMS, "now": NOW,
        "actor": "suzuki-01",
    }  # fmt: skip
    return read_approval(document, **{"vault_public_key": VAULT.public, **act, **changed})


def test_an_executed_approval_has_the_members_of_the_protocol_and_is_read_back():
    document = executed()
    assert set(document) == {
        "v", "id", "kind", "campaign", "params", "reason", "requested_by", "requested_at", "expires", "approvals",
        "executed_at", "key", "signature",
    }  # fmt: skip
    assert document["approvals"] == [{"role": "ward", "at": NOW.isoformat(), "method": "passkey"}]
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    assert signed_bytes("kuji/approval/2", document) == b"kuji/approval/2\x00" + canonical(unsigned)
    assert verify(VAULT.public, signed_bytes("kuji/approval/2", document), document["signature"])
    assert read(document) == CONTENT


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"kind": ApprovalKind.REDRAW}, "other-kind"),
        ({"campaign": CampaignId("another")}, "other-campaign"),
        ({"params": {**PARAMS, "held": 4}}, "other-params"),
        ({"params": {}}, "other-params"),
        ({"actor": "mori-01"}, "other-person"),
        ({"now": NOW + timedelta(hours=24)}, "expired"),
        ({"vault_public_key": STRANGER.public}, "foreign-signature"),
        ({"vault_public_key": "no key"}, "foreign-signature"),
    ],
)
def test_an_approval_of_something_else_is_refused_with_its_reason(changed: dict[str, Any], reason: str):
    with pytest.raises(ApprovalRefusedError) as refused:
        read(executed(), **changed)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "change",
    [{"reason": "source-lost"}, {"expires": (NOW + timedelta(days=9)).isoformat()}, {"requested_by": "mori-01"}],
)
def test_a_changed_document_is_refused(change: JsonObject):
    with pytest.raises(ApprovalRefusedError) as refused:
        read(executed() | change)
    assert refused.value.reason == "foreign-signature"


@pytest.mark.parametrize("change", [{"more": 1}, {"v": 1}, {"approvals": [{"role": "king"}]}, {"id": None}])
def test_a_document_of_another_form_is_refused(change: JsonObject):
    with pytest.raises(ApprovalRefusedError) as refused:
        read(executed() | change)
    assert refused.value.reason == "malformed"


@pytest.mark.parametrize("roles", [[], [Role.AUDITOR], [Role.WARD, Role.HANDLER]])
def test_an_approval_without_the_roles_of_its_kind_is_refused(roles: list[Role]):
    given = [GivenApproval(role, NOW, "passkey") for role in roles]
    with pytest.raises(ApprovalRefusedError) as refused:
        read(executed(given=given))
    assert refused.value.reason == "not-approved"


def test_parameters_hold_no_text_and_no_unknown_member():
    with pytest.raises(WrongParamsError, match="name"):
        check_params(ApprovalKind.RESET_FACTORS, {"account": "mori-01", "name": "森次郎"})
    with pytest.raises(WrongParamsError):
        check_params(ApprovalKind.RESET_FACTORS, {"account": "森次郎"})


def test_each_kind_has_one_way_for_each_role_of_a_requester_and_reasons():
    assert set(RULES) == set(ApprovalKind)
    for kind, rule in RULES.items():
        requesters = [way.requester for way in rule.ways]
        assert len(requesters) == len(set(requesters)), kind
        assert rule.reasons
        assert all(way.approvers for way in rule.ways)


def test_data_leaves_and_goes_only_with_the_wards_approval():
    for kind in (ApprovalKind.RETURN_PACKAGE, ApprovalKind.EXPORT, ApprovalKind.ERASE_CAMPAIGN):
        for way in RULES[kind].ways:
            assert frozenset({Role.WARD}) in way.approvers
        handler = next(way for way in RULES[kind].ways if way.requester is Role.HANDLER)
        assert len(handler.approvers) == 2


def test_the_architecture_shows_the_table_of_kinds():
    assert table_of_kinds() in Path("docs/architecture.md").read_text("utf-8")
