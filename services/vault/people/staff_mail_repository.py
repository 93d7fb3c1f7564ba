"""Store mails to staff until the mail server took them: written with the change that they report, in one transaction.

A mail is sent at least once: after a crash, or where the answer was lost, it is sent again (unlike notices to
applicants, ADR 12), because a second one does no harm.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from services.vault.people.rules.account import STAFF_ID, StaffId
from services.vault.people.rules.staff_mail import StaffMailKind
from shared.storage import Collection, Index, ReturnDocument, Store, UnitOfWork

MAILS: Final = "staff_mails"
_FIRST_PAUSE: Final = timedelta(seconds=10)
_LONGEST_PAUSE: Final = timedelta(minutes=10)
_OVERDUE: Final = timedelta(hours=1)
_KEPT_S: Final = 30 * 24 * 3600
"""Age at which a mail that no server takes is dropped: by then it is no news."""


@dataclass(frozen=True)
class StaffMail:
    """Mail to one person about the account `about`. `at`: when it happened, on the machine's clock."""

    id: str
    kind: StaffMailKind
    about: StaffId
    to: StaffId
    at: datetime
    attempts: int

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection."""
        return cls(
            document["_id"],
            StaffMailKind(document["kind"]),
            StaffId(document["about"]),
            StaffId(document["to"]),
            document["at"],
            document["attempts"],
        )


def collections() -> list[Collection]:
    """Return the collections to prepare. No name and no address is in them."""
    schema = {
        "bsonType": "object",
        "required": ["_id", "kind", "about", "to", "at", "due", "attempts", "failed"],
        "properties": {
            "_id": {"bsonType": "string", "pattern": "^staff-[0-9a-f]{20}$"},
            "kind": {"enum": [str(kind) for kind in StaffMailKind]},
            "about": {"bsonType": "string", "pattern": STAFF_ID},
            "to": {"bsonType": "string", "pattern": STAFF_ID},
            "at": {"bsonType": "date"},
            "due": {"bsonType": "date"},
            "attempts": {"bsonType": ["int", "long"], "minimum": 0},
            "failed": {"bsonType": "bool"},
        },
        "additionalProperties": False,
    }
    return [Collection(MAILS, schema, (Index("due"), Index("at", expire_after_s=_KEPT_S)))]


class StaffMailRepository:
    """Queue of mails to staff. `due` is also the end of a claim: a crashed sender's mails become due again."""

    def __init__(self, store: Store) -> None:
        self._mails = store.db[MAILS]

    async def insert(self, uow: UnitOfWork, kind: StaffMailKind, about: StaffId, to: Iterable[StaffId]) -> None:
        """Queue one mail for each receiver, in the transaction of the change."""
        now = datetime.now(UTC)
        documents = [
            {
                "_id": f"staff-{secrets.token_hex(10)}",
                "kind": kind,
                "about": about,
                "to": receiver,
                "at": now,
                "due": now,
                "attempts": 0,
                "failed": False,
            }
            for receiver in to
        ]
        if documents:
            await self._mails.insert_many(documents, session=uow.session)

    async def claim(self, lease_s: float) -> StaffMail | None:
        """Return the mail that is due longest, claimed for `lease_s` seconds; None if none is due."""
        now = datetime.now(UTC)
        document = await self._mails.find_one_and_update(
            {"due": {"$lte": now}, "failed": False},
            {"$set": {"due": now + timedelta(seconds=lease_s)}, "$inc": {"attempts": 1}},
            sort=[("due", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return None if document is None else StaffMail.from_document(document)

    async def delete(self, mail: StaffMail) -> None:
        """Delete a mail that the mail server took, or whose receiver has left."""
        await self._mails.delete_one({"_id": mail.id})

    async def postpone(self, mail: StaffMail) -> None:
        """Let the mail wait, longer after each attempt."""
        pause = min(_FIRST_PAUSE * 2 ** min(mail.attempts, 10), _LONGEST_PAUSE)
        await self._mails.update_one({"_id": mail.id}, {"$set": {"due": datetime.now(UTC) + pause}})

    async def give_up(self, mail: StaffMail) -> None:
        """Keep a mail that the mail server refuses for good; it counts as an alarm until it is dropped."""
        await self._mails.update_one({"_id": mail.id}, {"$set": {"failed": True}})

    async def count_stuck(self) -> int:
        """Return the number of mails that were refused, or wait for more than an hour."""
        late = {"at": {"$lt": datetime.now(UTC) - _OVERDUE}}
        return await self._mails.count_documents({"$or": [{"failed": True}, late]})
