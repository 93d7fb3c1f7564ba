"""Sessions of staff at one service, nonces that were taken, and what the vault said about each person."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from shared.contracts import StaffChanged
from shared.encoding import b64url
from shared.staff_roles import Role, parse_roles
from shared.storage import Collection, DuplicateKeyError, Index, Store, UnitOfWork, translate_errors
from shared.web.sign_in import nonce as nonces
from shared.web.sign_in.assertion import Assertion

SESSIONS: Final = "staff_sessions"
NONCES: Final = "sign_in_nonces"
CHANGES: Final = "staff_changes"
_MOST_ENDED: Final = 100
"""Ids of ended sessions that are kept of a person; no assertion lives as long as a person takes to end so many."""

IDLE: Final = timedelta(minutes=60)
LIFE: Final = timedelta(hours=12)
_TOUCH: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class ServiceSession:
    """Open session of a person at this service."""

    sub: str
    roles: frozenset[Role]
    auth_time: datetime
    sid: str

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection."""
        return cls(document["sub"], parse_roles(document["roles"]), document["auth_time"], document["sid"])


def collections() -> list[Collection]:
    """Return the collections to prepare. Sessions and nonces go by themselves; no name of a person is in them."""
    hashed = {"bsonType": "string", "pattern": "^[0-9a-f]{64}$"}
    session = {
        "bsonType": "object",
        "required": ["_id", "sub", "roles", "sid", "method", "auth_time", "last_seen", "until"],
        "properties": {
            "_id": hashed,
            "sub": {"bsonType": "string"},
            "roles": {"bsonType": "array"},
            "sid": {"bsonType": "string"},
            "method": {"bsonType": "string"},
            "auth_time": {"bsonType": "date"},
            "last_seen": {"bsonType": "date"},
            "until": {"bsonType": "date"},
        },
        "additionalProperties": False,
    }
    taken = {
        "bsonType": "object",
        "required": ["_id", "expires"],
        "properties": {"_id": hashed, "expires": {"bsonType": "date"}},
        "additionalProperties": False,
    }
    change = {
        "bsonType": "object",
        "required": ["_id", "not_before", "admitted"],
        "properties": {
            "_id": {"bsonType": "string"},
            "not_before": {"bsonType": "date"},
            "admitted": {"bsonType": "bool"},
            "ended": {"bsonType": "array", "maxItems": _MOST_ENDED, "items": {"bsonType": "string"}},
        },
        "additionalProperties": False,
    }
    return [
        Collection(SESSIONS, session, (Index("sub"), Index("until", expire_after_s=0))),
        Collection(NONCES, taken, (Index("expires", expire_after_s=0),)),
        Collection(CHANGES, change),
    ]


class ServiceSessionRepository:
    """Start, find and end sessions of this service."""

    def __init__(self, store: Store) -> None:
        self._sessions, self._nonces, self._changes = store.db[SESSIONS], store.db[NONCES], store.db[CHANGES]

    async def take_nonce(self, nonce: str) -> bool:
        """Take the nonce; return False if it was taken before."""
        line = {"_id": _hash(nonce), "expires": _now() + 2 * nonces.LIFE}
        try:
            with translate_errors():
                await self._nonces.insert_one(line)
        except DuplicateKeyError:
            return False
        return True

    async def start(self, assertion: Assertion) -> str | None:
        """Return the secret of a new session; None where the vault has voided the sign-in meanwhile."""
        with translate_errors():
            if not await self._is_admitted(assertion.sub, assertion.sid, assertion.auth_time):
                return None
            secret, now = b64url(secrets.token_bytes(32)), _now()
            document = {
                "_id": _hash(secret),
                "sub": assertion.sub,
                "roles": sorted(assertion.roles),
                "sid": assertion.sid,
                "method": assertion.method,
                "auth_time": assertion.auth_time,
                "last_seen": now,
                "until": min(assertion.until, now + LIFE),
            }
            await self._sessions.insert_one(document)
        return secret

    async def find(self, secret: str) -> ServiceSession | None:
        """Return the session if it has not ended, and note that it was used."""
        now = _now()
        alive = {"_id": _hash(secret), "until": {"$gt": now}, "last_seen": {"$gt": now - IDLE}}
        with translate_errors():
            document = await self._sessions.find_one(alive)
            if document is None:
                return None
            if not await self._is_admitted(document["sub"], document["sid"], document["auth_time"]):
                return None
            if document["last_seen"] < now - _TOUCH:
                await self._sessions.update_one({"_id": document["_id"]}, {"$set": {"last_seen": now}})
        return ServiceSession.from_document(document)

    async def end(self, secret: str) -> None:
        """End the session."""
        with translate_errors():
            await self._sessions.delete_one({"_id": _hash(secret)})

    async def on_changed(self, events: Sequence[StaffChanged], uow: UnitOfWork) -> None:
        """Keep the newest change of each person, and end the sessions that it voids."""
        for event in events:
            known = await self._changes.find_one({"_id": event.sub}, session=uow.session)
            if known is not None and known["not_before"] > event.not_before:
                continue
            change = {
                "$set": {"not_before": event.not_before, "admitted": bool(event.roles)},
                "$push": {"ended": {"$each": list(event.ended), "$slice": -_MOST_ENDED}},
            }
            await self._changes.update_one({"_id": event.sub}, change, upsert=True, session=uow.session)
            void = [{"auth_time": {"$lt": event.not_before}}, {"sid": {"$in": list(event.ended)}}]
            await self._sessions.delete_many({"sub": event.sub, "$or": void}, session=uow.session)

    async def _is_admitted(self, sub: str, sid: str, auth_time: datetime) -> bool:
        change = await self._changes.find_one({"_id": sub})
        if change is None:
            return True
        return bool(change["admitted"]) and change["not_before"] <= auth_time and sid not in change.get("ended", ())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC)
