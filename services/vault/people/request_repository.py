"""Store requests to change the roster; proposals are encrypted as accounts are (ADR 28)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from services.vault.keys.keystore import Keystore
from services.vault.people.account_documents import AccountCipher
from services.vault.people.rules.account import StaffId
from services.vault.people.rules.requests import LIFE, RequestId, RequestKind, RequestState, RosterRequest
from shared.staff_roles import parse_roles
from shared.storage import Collection, DuplicateKeyError, Index, Session, Store, UnitOfWork

REQUESTS: Final = "staff_requests"


class RequestWaitsError(Exception):
    """Raised when another request for the same account waits for its approval."""


def collections() -> list[Collection]:
    """Return the collections to prepare. One request of an account waits at a time."""
    schema = {
        "bsonType": "object",
        "required": ["_id", "kind", "account", "requested_by", "requester_roles", "requested_at", "state"],
        "properties": {
            "_id": {"bsonType": "string", "pattern": "^r-[0-9a-f]{20}$"},
            "kind": {"enum": [str(kind) for kind in RequestKind]},
            "account": {"bsonType": "string"},
            "proposal": {"bsonType": ["object", "null"]},
            "requested_by": {"bsonType": "string"},
            "requester_roles": {"bsonType": "array"},
            "requested_at": {"bsonType": "date"},
            "state": {"enum": [str(state) for state in RequestState]},
            "decided_by": {"bsonType": "string"},
            "decided_at": {"bsonType": "date"},
        },
        "additionalProperties": False,
    }
    waiting = {"state": str(RequestState.WAITING)}
    return [Collection(REQUESTS, schema, (Index("account", unique=True, where=waiting), Index("state")))]


class RequestRepository:
    """Insert, list and decide requests."""

    def __init__(self, store: Store, keystore: Keystore) -> None:
        self._requests, self._cipher = store.db[REQUESTS], AccountCipher(keystore)

    async def insert(self, uow: UnitOfWork, request: RosterRequest) -> None:
        """Insert a request. Raises RequestWaitsError; one that has expired makes room."""
        expired = {"account": request.account, "state": RequestState.WAITING, "requested_at": {"$lt": _oldest()}}
        await self._requests.update_many(expired, {"$set": {"state": RequestState.REFUSED}}, session=uow.session)
        proposal = request.proposal
        document = {
            "_id": request.id,
            "kind": request.kind,
            "account": request.account,
            "proposal": proposal and {"_id": proposal.id, **self._cipher.account_members(proposal)},
            "requested_by": request.requested_by,
            "requester_roles": sorted(request.requester_roles),
            "requested_at": request.requested_at,
            "state": request.state,
        }
        try:
            await self._requests.insert_one(document, session=uow.session)
        except DuplicateKeyError:
            raise RequestWaitsError from None

    async def find_waiting(self, request_id: RequestId, session: Session | None = None) -> RosterRequest | None:
        """Return the request if it waits and has not expired."""
        document = await self._requests.find_one({"_id": request_id, **_waiting()}, session=session)
        return None if document is None else self._read(document)

    async def waiting(self, session: Session | None = None) -> list[RosterRequest]:
        """Return the requests that wait, oldest first."""
        waiting = self._requests.find(_waiting(), session=session).sort("requested_at", 1)
        return [self._read(document) async for document in waiting]

    async def decide(self, uow: UnitOfWork, request: RosterRequest, state: RequestState, by: StaffId) -> bool:
        """Record the decision; return False if another decision was first."""
        decision = {"state": state, "decided_by": by, "decided_at": datetime.now(UTC)}
        changed = await self._requests.update_one(
            {"_id": request.id, **_waiting()}, {"$set": decision}, session=uow.session
        )
        return changed.modified_count == 1

    def _read(self, document: Mapping[str, Any]) -> RosterRequest:
        proposal = document["proposal"]
        return RosterRequest(
            id=RequestId(document["_id"]),
            kind=RequestKind(document["kind"]),
            account=StaffId(document["account"]),
            proposal=None if proposal is None else self._cipher.account(proposal),
            requested_by=StaffId(document["requested_by"]),
            requester_roles=parse_roles(document["requester_roles"]),
            requested_at=document["requested_at"],
            state=RequestState(document["state"]),
        )


def _waiting() -> dict[str, Any]:
    return {"state": RequestState.WAITING, "requested_at": {"$gte": _oldest()}}


def _oldest() -> datetime:
    """Return the moment at which a request that expires now was made."""
    return datetime.now(UTC) - LIFE
