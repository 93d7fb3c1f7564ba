"""The executed approval: written and signed by the vault, verified by other services offline. Pure.

`docs/protocols.md` §9 gives the exact bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NewType, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from shared.approvals.kinds import RULES, ApprovalKind
from shared.approvals.params import WrongParamsError, check_params
from shared.canonical import canonical
from shared.errors import KujiError
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.signing import SigningKey, verify_in_context
from shared.staff_roles import Role

CONTEXT: Final = "kuji/approval/2"

ApprovalId = NewType("ApprovalId", str)

APPROVAL_ID: Final = r"^a-[0-9a-f]{20}$"

Method = Literal["passkey", "password+totp"]

ApprovalRefusal = Literal[
    "malformed", "foreign-signature", "other-kind", "other-campaign", "other-params", "other-person", "not-approved",
    "expired", "used", "unknown",
]  # fmt: skip
REFUSALS: Final[tuple[ApprovalRefusal, ...]] = get_args(ApprovalRefusal)


class ApprovalRefusedError(KujiError):
    """Raised when an approval does not allow an act; `reason` is a code, texts name it by `approval.refused.<code>`."""

    def __init__(self, reason: ApprovalRefusal) -> None:
        super().__init__(f"approval refused: {reason}")
        self.reason: ApprovalRefusal = reason


@dataclass(frozen=True)
class ApprovalContent:
    """Request of an approval. `campaign` is None for acts of the installation; times are real ones."""

    id: ApprovalId
    kind: ApprovalKind
    campaign: CampaignId | None
    params: JsonObject
    reason: str
    requested_by: str
    requested_at: datetime
    expires: datetime

    def to_document(self) -> JsonObject:
        """Return the document that requester and approvers sign."""
        return {
            "v": 2,
            "id": self.id,
            "kind": self.kind.value,
            "campaign": self.campaign,
            "params": self.params,
            "reason": self.reason,
            "requested_by": self.requested_by,
            "requested_at": self.requested_at.isoformat(),
            "expires": self.expires.isoformat(),
        }

    def to_bytes(self) -> bytes:
        """Return the canonical JSON (RFC 8785) that challenges contain."""
        return canonical(self.to_document())


@dataclass(frozen=True)
class GivenApproval:
    """Approval of one person: the role that the person filled, when, and by which factors."""

    role: Role
    at: datetime
    method: Method


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    role: Role
    at: AwareDatetime
    method: Method


class _Document(BaseModel):
    """Members of an executed approval; nothing else may stand in it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    v: Literal[2]
    id: str
    kind: ApprovalKind
    campaign: str | None
    params: JsonObject
    reason: str
    requested_by: str
    requested_at: AwareDatetime
    expires: AwareDatetime
    approvals: tuple[_Given, ...]
    executed_at: AwareDatetime
    key: str
    signature: str


def write_approval(
    signing: SigningKey, content: ApprovalContent, given: Sequence[GivenApproval], executed_at: datetime
) -> JsonObject:
    """Return the executed document, signed by the vault."""
    approvals = [{"role": one.role.value, "at": one.at.isoformat(), "method": one.method} for one in given]
    document = {**content.to_document(), "approvals": approvals, "executed_at": executed_at.isoformat()}
    return signing.sign_in_context(CONTEXT, document)


def read_approval(
    document: Mapping[str, object],
    *,
    kind: ApprovalKind,
    campaign: CampaignId | None,
    params: Mapping[str, object],
    actor: str,
    vault_public_key: str,
    now: datetime,
) -> ApprovalContent:
    """Return the content of an executed approval for exactly this act. Raises ApprovalRefusedError.

    The caller still keeps the id under a unique index, in the transaction of the act (`UsedApprovals`).
    """
    try:
        parsed = _Document.model_validate(document)
    except ValidationError:
        raise ApprovalRefusedError("malformed") from None
    if not _is_signed(vault_public_key, document):
        raise ApprovalRefusedError("foreign-signature")
    if parsed.kind is not kind:
        raise ApprovalRefusedError("other-kind")
    if parsed.campaign != campaign:
        raise ApprovalRefusedError("other-campaign")
    if parsed.requested_by != actor:
        raise ApprovalRefusedError("other-person")
    if not have_same_params(kind, parsed.params, params):
        raise ApprovalRefusedError("other-params")
    if not _are_enough(kind, [one.role for one in parsed.approvals]):
        raise ApprovalRefusedError("not-approved")
    if now >= parsed.expires:
        raise ApprovalRefusedError("expired")
    return ApprovalContent(
        ApprovalId(parsed.id), kind, campaign, parsed.params, parsed.reason,
        parsed.requested_by, parsed.requested_at, parsed.expires,
    )  # fmt: skip


def have_same_params(kind: ApprovalKind, approved: Mapping[str, object], current: Mapping[str, object]) -> bool:
    """Return True if both are parameters of the kind with the same canonical bytes."""
    try:
        return canonical(check_params(kind, approved)) == canonical(check_params(kind, current))
    except WrongParamsError:
        return False


def _is_signed(public: str, document: Mapping[str, object]) -> bool:
    """Return True if the key signed the document; False also for a key or a document that is none."""
    try:
        return verify_in_context(public, CONTEXT, document)
    except ValueError:
        return False


def _are_enough(kind: ApprovalKind, roles: Sequence[Role]) -> bool:
    """Return True if the roles fill one of the ways of the kind, one role for each approver."""
    return any(
        len(roles) == len(way.approvers) and all(any(role in slot for role in roles) for slot in way.approvers)
        for way in RULES[kind].ways
    )
