"""Store approvals with their signatures, and challenges that wait for a passkey, each taken once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.vault.approvals.rules.approval import STATES, Approval, ApprovalState, Signature
from shared.approvals import ApprovalContent, ApprovalId, ApprovalKind
from shared.approvals.document import APPROVAL_ID
from shared.ids import CampaignId
from shared.staff_roles import Role
from shared.storage import Collection, Index, Session, Store, UnitOfWork

APPROVALS: Final = "approvals"
CHALLENGES: Final = "approval_challenges"
_CHALLENGE_LIFE: Final = timedelta(minutes=5)


def collections() -> list[Collection]:
    """Return the collections to prepare. Expired challenges go by themselves."""
    schema = {
        "bsonType": "object",
        "required": [
            "_id",
            "kind",
            "campaign",
            "params",
            "reason",
            "requested_by",
            "requester_role",
            "expires",
            "state",
        ],
        "properties": {
            "_id": {"bsonType": "string", "pattern": APPROVAL_ID},
            "kind": {"enum": [kind.value for kind in ApprovalKind]},
            "campaign": {"bsonType": ["string", "null"]},
            "params": {"bsonType": "object"},
            "reason": {"bsonType": "string"},
            "requested_by": {"bsonType": "string"},
            "requested_at": {"bsonType": "string"},
            "requester_role": {"enum": [role.value for role in Role]},
            "expires": {"bsonType": "string"},
            "ends": {"bsonType": "date"},
            "state": {"enum": [state.value for state in ApprovalState]},
            "request": {"bsonType": ["object", "null"]},
            "signatures": {"bsonType": "array", "maxItems": 4},
            "decided_by": {"bsonType": ["string", "null"]},
            "executed_at": {"bsonType": ["date", "null"]},
            "executed": {"bsonType": ["object", "null"]},
        },
        "additionalProperties": False,
    }  # fmt: skip
    challenges = Collection(CHALLENGES, None, (Index("expires", expire_after_s=0),))
    return [Collection(APPROVALS, schema, (Index("state"), Index("campaign"))), challenges]


@dataclass(frozen=True)
class Challenge:
    """A challenge that a person's passkey shall sign for one approval."""

    approval: ApprovalId
    person: str
    nonce: bytes


class ApprovalRepository:
    """Insert approvals, and move them by the table of states only."""

    def __init__(self, store: Store) -> None:
        self._approvals, self._challenges = store.db[APPROVALS], store.db[CHALLENGES]

    async def insert(self, approval: Approval) -> None:
        """Insert a new approval."""
        await self._approvals.insert_one(_to_document(approval))

    async def find(self, approval_id: ApprovalId, session: Session | None = None) -> Approval | None:
        """Return the approval, or None."""
        document = await self._approvals.find_one({"_id": approval_id}, session=session)
        return None if document is None else _read(document)

    async def replace(self, uow: UnitOfWork, approval: Approval, before: ApprovalState) -> bool:
        """Write the approval as it is now; return False where another process moved it from `before` first."""
        if approval.state is not before:
            STATES.check(before, approval.state)
        known = {"_id": approval.content.id, "state": before.value}
        changed = await self._approvals.replace_one(known, _to_document(approval), session=uow.session)
        return bool(changed.matched_count)

    async def open(self, now: datetime) -> list[Approval]:
        """Return the approvals that wait or are approved and have not expired, oldest first."""
        states = [ApprovalState.WAITING.value, ApprovalState.APPROVED.value]
        found = self._approvals.find({"state": {"$in": states}, "ends": {"$gt": now}}).sort("_id", 1)
        return sorted([_read(document) async for document in found], key=lambda one: one.content.requested_at)

    async def latest(self, limit: int) -> list[Approval]:
        """Return the latest approvals of all states but drafts, newest first."""
        found = self._approvals.find({"state": {"$ne": ApprovalState.DRAFT.value}}).sort("ends", -1).limit(limit)
        return sorted([_read(document) async for document in found], key=lambda one: one.content.requested_at)[::-1]

    async def put_challenge(self, challenge: bytes, asked: Challenge) -> None:
        """Keep a challenge for five minutes."""
        document = {"_id": _hash(challenge), **vars(asked), "expires": datetime.now(UTC) + _CHALLENGE_LIFE}
        await self._challenges.insert_one(document)

    async def take_challenge(self, challenge: bytes) -> Challenge | None:
        """Return the challenge and delete it; None where it was taken or has expired."""
        known = {"_id": _hash(challenge), "expires": {"$gt": datetime.now(UTC)}}
        found = await self._challenges.find_one_and_delete(known)
        return None if found is None else Challenge(found["approval"], found["person"], bytes(found["nonce"]))


def _hash(challenge: bytes) -> str:
    return hashlib.sha256(challenge).hexdigest()


def _to_document(approval: Approval) -> dict[str, Any]:
    content = approval.content
    members = {name: value for name, value in content.to_document().items() if name not in {"v", "id"}}
    return {
        "_id": content.id,
        **members,
        "ends": content.expires,
        "requester_role": approval.requester_role.value,
        "state": approval.state.value,
        "request": approval.request and _signature_members(approval.request),
        "signatures": [_signature_members(signature) for signature in approval.signatures],
        "decided_by": approval.decided_by,
        "executed_at": approval.executed_at,
        "executed": approval.executed,
    }


def _signature_members(signature: Signature) -> dict[str, Any]:
    return {**vars(signature), "role": signature.role.value, "at": signature.at.isoformat()}


def _read(document: Mapping[str, Any]) -> Approval:
    campaign, request = document["campaign"], document["request"]
    content = ApprovalContent(
        ApprovalId(document["_id"]),
        ApprovalKind(document["kind"]),
        None if campaign is None else CampaignId(campaign),
        dict(document["params"]),
        document["reason"],
        document["requested_by"],
        datetime.fromisoformat(document["requested_at"]),
        datetime.fromisoformat(document["expires"]),
    )
    return Approval(
        content,
        Role(document["requester_role"]),
        ApprovalState(document["state"]),
        request and _read_signature(request),
        tuple(_read_signature(signature) for signature in document["signatures"]),
        document["decided_by"],
        document["executed_at"],
        document["executed"],
    )


def _read_signature(document: Mapping[str, Any]) -> Signature:
    nonce = document["nonce"]
    return Signature(
        document["by"],
        Role(document["role"]),
        datetime.fromisoformat(document["at"]),
        document["method"],
        document["assertion"],
        None if nonce is None else bytes(nonce),
    )
