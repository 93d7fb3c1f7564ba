"""Store sessions of staff at the vault: the hash of a random id, on the machine's clock (OWASP ASVS 5, V7)."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from services.vault.people.rules.account import StaffId
from shared.encoding import b64url
from shared.storage import Collection, Index, Store, UnitOfWork

SESSIONS: Final = "staff_sessions"
IDLE: Final = timedelta(minutes=15)
LIFE: Final = timedelta(hours=12)
_TOUCH: Final = timedelta(seconds=20)
"""Age of `last_seen` at which it is written again: not every request is a write."""

Method = Literal["password+totp", "passkey"]


@dataclass(frozen=True)
class PreviousSignIn:
    """When the person signed in before, and the failed attempts since then; shown to the person (ASVS 5, 6.3.5)."""

    at: datetime | None
    failures: int


@dataclass(frozen=True)
class StaffSession:
    """Session of a person. `sid` names it in assertions and lists; it opens nothing. `until`: its latest end."""

    sid: str
    staff_id: StaffId
    method: Method
    auth_time: datetime
    last_seen: datetime
    until: datetime
    previous: PreviousSignIn

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "StaffSession":
        """Read a document of the collection."""
        return cls(
            document["sid"],
            StaffId(document["account"]),
            document["method"],
            document["auth_time"],
            document["last_seen"],
            document["until"],
            PreviousSignIn(document["previous_at"], document["failures"]),
        )


def collections() -> list[Collection]:
    """Return the collections to prepare. Ended sessions go by themselves."""
    schema = {
        "bsonType": "object",
        "required": ["_id", "sid", "account", "method", "auth_time", "last_seen", "until"],
        "properties": {
            "_id": {"bsonType": "string", "pattern": "^[0-9a-f]{64}$"},
            "sid": {"bsonType": "string"},
            "account": {"bsonType": "string"},
            "method": {"enum": ["password+totp", "passkey"]},
            "auth_time": {"bsonType": "date"},
            "last_seen": {"bsonType": "date"},
            "until": {"bsonType": "date"},
            "previous_at": {"bsonType": ["date", "null"]},
            "failures": {"bsonType": ["int", "long"]},
        },
        "additionalProperties": False,
    }
    return [Collection(SESSIONS, schema, (Index("account"), Index("sid"), Index("until", expire_after_s=0)))]


class SessionRepository:
    """Start, find and end sessions."""

    def __init__(self, store: Store) -> None:
        self._sessions = store.db[SESSIONS]

    async def start(
        self, uow: UnitOfWork, staff_id: StaffId, method: Method, at: datetime, previous: PreviousSignIn
    ) -> str:
        """Return the secret of a new session: 256 random bits, base64url. It ends by this process's clock."""
        now = _now()
        return await self._insert(uow, StaffSession(_new_sid(), staff_id, method, at, now, now + LIFE, previous))

    async def start_at_terminal(self, uow: UnitOfWork, sid: str) -> tuple[str, StaffSession] | None:
        """Return the secret of a further session that has the sign-in of `sid`; None where that has ended."""
        document = await self._sessions.find_one({"sid": sid, **_alive()}, session=uow.session)
        if document is None:
            return None
        origin = StaffSession.from_document(document)
        fresh = replace(origin, sid=_new_sid(), last_seen=_now())
        return await self._insert(uow, fresh), fresh

    async def find(self, secret: str) -> StaffSession | None:
        """Return the session if it has not ended, and note that it was used."""
        document = await self._sessions.find_one({"_id": _hash(secret), **_alive()})
        if document is None:
            return None
        if document["last_seen"] < _now() - _TOUCH:
            await self._sessions.update_one({"_id": document["_id"]}, {"$set": {"last_seen": _now()}})
        return StaffSession.from_document(document)

    async def of(self, staff_id: StaffId) -> list[StaffSession]:
        """Return the person's sessions that have not ended, newest first."""
        found = self._sessions.find({"account": staff_id, **_alive()}).sort("auth_time", -1)
        return [StaffSession.from_document(document) async for document in found]

    async def end(self, uow: UnitOfWork, staff_id: StaffId, sid: str) -> bool:
        """End one session of the person; return False if there is none."""
        ended = await self._sessions.delete_one({"account": staff_id, "sid": sid}, session=uow.session)
        return ended.deleted_count == 1

    async def count_open(self) -> dict[StaffId, int]:
        """Return the number of open sessions of each person who has any."""
        counted = self._sessions.aggregate([{"$match": _alive()}, {"$sortByCount": "$account"}])
        return {StaffId(line["_id"]): line["count"] async for line in counted}

    async def end_all(self, uow: UnitOfWork, staff_id: StaffId) -> None:
        """End all sessions of the person."""
        await self._sessions.delete_many({"account": staff_id}, session=uow.session)

    async def _insert(self, uow: UnitOfWork, session: StaffSession) -> str:
        secret = b64url(secrets.token_bytes(32))
        document = {
            "_id": _hash(secret),
            "sid": session.sid,
            "account": session.staff_id,
            "method": session.method,
            "auth_time": session.auth_time,
            "last_seen": session.last_seen,
            "until": session.until,
            "previous_at": session.previous.at,
            "failures": session.previous.failures,
        }
        await self._sessions.insert_one(document, session=uow.session)
        return secret


def _new_sid() -> str:
    return b64url(secrets.token_bytes(16))


def _alive() -> dict[str, Any]:
    now = _now()
    return {"until": {"$gt": now}, "last_seen": {"$gt": now - IDLE}}


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC)
