"""Store one-time codes of invitations and terminals: the hash only, each taken once, on the machine's clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from services.vault.keys.ciphers.envelope import Sealed
from services.vault.keys.keystore import Keystore
from services.vault.people.account_documents import AccountCipher
from services.vault.people.rules.account import StaffId
from services.vault.people.rules.one_time import code_hash, new_code, new_totp_secret
from shared.storage import Collection, Index, ReturnDocument, Store, UnitOfWork

CODES: Final = "staff_codes"
LIFE: Final = {"invitation": timedelta(hours=24), "terminal": timedelta(minutes=5)}
_KEPT_AFTER_S: Final = 3600

Kind = Literal["invitation", "terminal"]


@dataclass(frozen=True, repr=False)
class Invitation:
    """Invitation that is still open. `totp`: the secret that the page shows until the person has proved it.

    `opened_before`: how often it was opened before; the person is told, because a stranger may have been there.
    """

    staff_id: StaffId
    totp: str
    opened_before: int


def collections() -> list[Collection]:
    """Return the collections to prepare. Old codes go by themselves."""
    schema = {
        "bsonType": "object",
        "required": ["_id", "kind", "account", "expires"],
        "properties": {
            "_id": {"bsonType": "string", "pattern": "^[0-9a-f]{64}$"},
            "kind": {"enum": sorted(LIFE)},
            "account": {"bsonType": "string"},
            "sid": {"bsonType": ["string", "null"]},
            "expires": {"bsonType": "date"},
            "totp_key": {"bsonType": "binData"},
            "totp": {"bsonType": "binData"},
            "opened": {"bsonType": ["int", "long"], "minimum": 1},
        },
        "additionalProperties": False,
    }
    return [Collection(CODES, schema, (Index("account"), Index("expires", expire_after_s=_KEPT_AFTER_S)))]


class CodeRepository:
    """Make and take codes."""

    def __init__(self, store: Store, keystore: Keystore) -> None:
        self._codes, self._cipher = store.db[CODES], AccountCipher(keystore)

    async def invite(self, uow: UnitOfWork, staff_id: StaffId) -> str:
        """Return a new invitation code; earlier invitations of the account end."""
        await self._codes.delete_many({"account": staff_id, "kind": "invitation"}, session=uow.session)
        return await self._insert(uow, "invitation", staff_id, None)

    async def make_terminal_code(self, uow: UnitOfWork, staff_id: StaffId, sid: str) -> str:
        """Return a code with which a terminal acts within the session `sid`."""
        return await self._insert(uow, "terminal", staff_id, sid)

    async def open_invitation(self, staff_id: StaffId, code: str) -> Invitation | None:
        """Return the invitation if code and id belong together; the code stays valid until it is taken.

        Each opening makes a new secret for the app: a stranger who opened the invitation before knows nothing of use.
        """
        fresh = self._cipher.seal({"totp": new_totp_secret()}, _totp_of(staff_id))
        change = {"$set": {"totp_key": fresh.wrapped_key, "totp": fresh.ciphertext}, "$inc": {"opened": 1}}
        document = await self._codes.find_one_and_update(
            {**_still_open("invitation", code), "account": staff_id}, change, return_document=ReturnDocument.AFTER
        )
        return None if document is None else self._invitation(document)

    async def find_invitation(self, staff_id: StaffId, code: str) -> Invitation | None:
        """Return the invitation as it was opened last; None where it was not, or was taken, or has expired."""
        document = await self._codes.find_one({**_still_open("invitation", code), "account": staff_id})
        return None if document is None or "totp" not in document else self._invitation(document)

    async def take_invitation(self, uow: UnitOfWork, staff_id: StaffId, code: str) -> bool:
        """Take the code; return False if it was taken, has expired, or belongs to another id."""
        taken = await self._codes.delete_one(
            {**_still_open("invitation", code), "account": staff_id}, session=uow.session
        )
        return taken.deleted_count == 1

    async def take_terminal_code(self, code: str) -> str | None:
        """Take the code and return the session's `sid`; None where it was taken or has expired."""
        document = await self._codes.find_one_and_delete(_still_open("terminal", code))
        return None if document is None else str(document["sid"])

    async def delete_invitations(self, uow: UnitOfWork, staff_id: StaffId) -> None:
        """Delete the invitations of an account that has ended."""
        await self._codes.delete_many({"account": staff_id}, session=uow.session)

    def _invitation(self, document: Mapping[str, Any]) -> Invitation:
        staff_id = StaffId(document["account"])
        secret = self._cipher.unseal(Sealed(document["totp_key"], document["totp"]), _totp_of(staff_id))["totp"]
        return Invitation(staff_id, secret, document["opened"] - 1)

    async def _insert(self, uow: UnitOfWork, kind: Kind, staff_id: StaffId, sid: str | None) -> str:
        code = new_code()
        document = {"_id": code_hash(code), "kind": kind, "account": staff_id, "sid": sid}
        await self._codes.insert_one({**document, "expires": datetime.now(UTC) + LIFE[kind]}, session=uow.session)
        return code


def _still_open(kind: Kind, code: str) -> dict[str, Any]:
    return {"_id": code_hash(code), "kind": kind, "expires": {"$gt": datetime.now(UTC)}}


def _totp_of(staff_id: StaffId) -> str:
    return f"kuji/staff-invitation/1\x00{staff_id}"
