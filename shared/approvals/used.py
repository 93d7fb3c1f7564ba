"""Approvals that a service other than the vault has used: each id once, in the transaction of its act."""

from datetime import UTC, datetime
from typing import Any, Final

from shared.approvals.document import ApprovalContent, ApprovalRefusedError
from shared.storage import Collection, DuplicateKeyError, Index, UnitOfWork

USED_APPROVALS: Final = "used_approvals"


def collections() -> list[Collection]:
    """Return the collection; its ids are unique."""
    schema = {
        "bsonType": "object",
        "required": ["_id", "kind", "campaign", "requested_by", "used_at"],
        "properties": {
            "_id": {"bsonType": "string", "pattern": "^a-[0-9a-f]{20}$"},
            "kind": {"bsonType": "string"},
            "campaign": {"bsonType": ["string", "null"]},
            "requested_by": {"bsonType": "string"},
            "used_at": {"bsonType": "date"},
        },
        "additionalProperties": False,
    }
    return [Collection(USED_APPROVALS, schema, (Index("campaign"),))]


async def mark_used(uow: UnitOfWork, approval: ApprovalContent) -> None:
    """Record that the act took place. Raises ApprovalRefusedError (`used`) for the second act of one approval."""
    document: dict[str, Any] = {
        "_id": approval.id,
        "kind": approval.kind.value,
        "campaign": approval.campaign,
        "requested_by": approval.requested_by,
        "used_at": datetime.now(UTC),
    }
    try:
        await uow.db[USED_APPROVALS].insert_one(document, session=uow.session)
    except DuplicateKeyError:
        raise ApprovalRefusedError("used") from None
