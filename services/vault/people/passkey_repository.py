"""Store passkeys (public keys only) and the challenges that wait for an answer, each taken once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from services.vault.people.rules.account import StaffId
from shared.storage import Collection, DuplicateKeyError, Index, Store, UnitOfWork

PASSKEYS: Final = "staff_passkeys"
CHALLENGES: Final = "staff_challenges"
_CHALLENGE_LIFE: Final = timedelta(minutes=5)


class PasskeyExistsError(Exception):
    """Raised when an authenticator is registered a second time."""


@dataclass(frozen=True)
class Passkey:
    """Passkey of an account. `id` is base64url of the credential id; `sign_count` as the authenticator gave it last."""

    id: str
    staff_id: StaffId
    public_key: bytes
    sign_count: int
    made_at: datetime

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection."""
        return cls(
            document["_id"],
            StaffId(document["account"]),
            bytes(document["public_key"]),
            document["sign_count"],
            document["made_at"],
        )


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    passkey = {
        "bsonType": "object",
        "required": ["_id", "account", "public_key", "sign_count", "made_at"],
        "properties": {
            "_id": {"bsonType": "string"},
            "account": {"bsonType": "string"},
            "public_key": {"bsonType": "binData"},
            "sign_count": {"bsonType": ["int", "long"], "minimum": 0},
            "made_at": {"bsonType": "date"},
        },
        "additionalProperties": False,
    }
    return [
        Collection(PASSKEYS, passkey, (Index("account"),)),
        Collection(CHALLENGES, None, (Index("expires", expire_after_s=0),)),
    ]


class PasskeyRepository:
    """Read and write passkeys."""

    def __init__(self, store: Store) -> None:
        self._passkeys, self._challenges = store.db[PASSKEYS], store.db[CHALLENGES]

    async def put_challenge(self, challenge: bytes, staff_id: StaffId | None) -> None:
        """Keep a challenge for five minutes; of a registration with the person that it is for."""
        line = {"_id": _hash(challenge), "account": staff_id, "expires": datetime.now(UTC) + _CHALLENGE_LIFE}
        await self._challenges.insert_one(line)

    async def take_challenge(self, challenge: bytes, staff_id: StaffId | None) -> bool:
        """Take the challenge; return False if it is unknown, expired, another person's, or was taken."""
        wanted = {"_id": _hash(challenge), "account": staff_id, "expires": {"$gt": datetime.now(UTC)}}
        return (await self._challenges.delete_one(wanted)).deleted_count == 1

    async def insert(self, uow: UnitOfWork, passkey: Passkey) -> None:
        """Insert a passkey. Raises PasskeyExistsError."""
        document = {
            "_id": passkey.id,
            "account": passkey.staff_id,
            "public_key": passkey.public_key,
            "sign_count": passkey.sign_count,
            "made_at": passkey.made_at,
        }
        try:
            await self._passkeys.insert_one(document, session=uow.session)
        except DuplicateKeyError:
            raise PasskeyExistsError from None

    async def find(self, passkey_id: str) -> Passkey | None:
        """Return the passkey, or None."""
        document = await self._passkeys.find_one({"_id": passkey_id})
        return None if document is None else Passkey.from_document(document)

    async def of(self, staff_id: StaffId) -> list[Passkey]:
        """Return the person's passkeys, oldest first."""
        found = self._passkeys.find({"account": staff_id}).sort("made_at", 1)
        return [Passkey.from_document(document) async for document in found]

    async def count_use(self, passkey: Passkey, sign_count: int) -> bool:
        """Record the counter of a use; return False if another use was counted meanwhile."""
        known = {"_id": passkey.id, "sign_count": passkey.sign_count}
        return (await self._passkeys.update_one(known, {"$set": {"sign_count": sign_count}})).matched_count == 1

    async def delete(self, uow: UnitOfWork, staff_id: StaffId, passkey_id: str) -> bool:
        """Delete a passkey of the person; return False if there is none."""
        gone = await self._passkeys.delete_one({"_id": passkey_id, "account": staff_id}, session=uow.session)
        return gone.deleted_count == 1

    async def delete_all(self, uow: UnitOfWork, staff_id: StaffId) -> None:
        """Delete all passkeys of a person whose factors are reset or whose account ends."""
        await self._passkeys.delete_many({"account": staff_id}, session=uow.session)


def _hash(challenge: bytes) -> str:
    return hashlib.sha256(challenge).hexdigest()
