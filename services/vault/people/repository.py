"""Store accounts, their factors, and whether the first two people have signed in.

Personal parts of an account and its factors are encrypted under the installation's staff key (ADR 28).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from services.vault.keys.keystore import Keystore
from services.vault.people.account_documents import AccountCipher, Factors
from services.vault.people.rules.account import STAFF_ID, STATES, Account, AccountState, StaffId
from shared.staff_roles import Role
from shared.state_machine import TransitionError
from shared.storage import Collection, DuplicateKeyError, Session, Store, UnitOfWork

ACCOUNTS: Final = "staff_accounts"
SETUP: Final = "staff_setup"
_FIRST, _UNKNOWN = "first", "unknown"
_MOST_DEVICES, _MOST_ADDRESSES = 10, 5


class AccountExistsError(Exception):
    """Raised when an id is taken; ids are never used again, also after their account ended."""


@dataclass(frozen=True)
class StoredAccount:
    """Account with its data about signing in.

    `admitted`: whether other services were told that the person may sign in. `not_before`: sign-ins before this
    moment are void. `devices`: hashes of cookies of browsers from which the person signed in; `addresses`: keyed
    hashes of the last addresses.
    """

    account: Account
    factors: Factors
    admitted: bool
    not_before: datetime
    totp_step: int
    devices: tuple[str, ...]
    addresses: tuple[str, ...]
    last_sign_in: datetime | None
    failures: int

    def __repr__(self) -> str:
        return f"StoredAccount({self.account!r})"


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    schema = {
        "bsonType": "object",
        "required": ["_id", "state", "roles", "starts", "ends", "wrapped_key", "ciphertext", "admitted", "not_before"],
        "properties": {
            "_id": {"bsonType": "string", "pattern": STAFF_ID},
            "state": {"enum": [str(state) for state in AccountState]},
            "roles": {"bsonType": "array", "minItems": 1, "items": {"enum": [str(role) for role in Role]}},
            "starts": {"bsonType": "string"},
            "ends": {"bsonType": "string"},
            "wrapped_key": {"bsonType": "binData"},
            "ciphertext": {"bsonType": "binData"},
            "factors_key": {"bsonType": ["binData", "null"]},
            "factors": {"bsonType": ["binData", "null"]},
            "admitted": {"bsonType": "bool"},
            "not_before": {"bsonType": "date"},
            "totp_step": {"bsonType": ["int", "long"]},
            "devices": {"bsonType": "array", "maxItems": _MOST_DEVICES, "items": {"bsonType": "string"}},
            "addresses": {"bsonType": "array", "maxItems": _MOST_ADDRESSES, "items": {"bsonType": "string"}},
            "last_sign_in": {"bsonType": ["date", "null"]},
            "failures": {"bsonType": ["int", "long"], "minimum": 0},
        },
        "additionalProperties": False,
    }
    return [Collection(ACCOUNTS, schema), Collection(SETUP)]


class AccountRepository:
    """Read and write accounts. Raises VaultLockedError while the vault is sealed."""

    def __init__(self, store: Store, keystore: Keystore) -> None:
        self._accounts, self._setup, self._cipher = store.db[ACCOUNTS], store.db[SETUP], AccountCipher(keystore)

    async def find(self, staff_id: StaffId, session: Session | None = None) -> StoredAccount | None:
        """Return the account, or None."""
        document = await self._accounts.find_one({"_id": staff_id}, session=session)
        return None if document is None else self._read(document)

    async def all(self, session: Session | None = None) -> list[StoredAccount]:
        """Return all accounts in the order of their ids."""
        return [self._read(document) async for document in self._accounts.find(session=session).sort("_id", 1)]

    async def insert(self, uow: UnitOfWork, account: Account, at: datetime) -> None:
        """Insert a new account. Raises AccountExistsError."""
        fresh = {
            "_id": account.id,
            **self._cipher.account_members(account),
            "factors_key": None,
            "factors": None,
            "admitted": False,
            "not_before": at,
            "totp_step": 0,
            "devices": [],
            "addresses": [],
            "last_sign_in": None,
            "failures": 0,
        }
        try:
            await self._accounts.insert_one(fresh, session=uow.session)
        except DuplicateKeyError:
            raise AccountExistsError from None

    async def move(self, uow: UnitOfWork, account: Account, state: AccountState) -> Account:
        """Write the account with its new state; return it. Raises TransitionError where the table has none."""
        STATES.check(account.state, state)
        moved = replace(account, state=state)
        known = {"_id": account.id, "state": account.state}
        changed = await self._accounts.update_one(
            known, {"$set": self._cipher.account_members(moved)}, session=uow.session
        )
        if changed.matched_count != 1:
            raise TransitionError("another process moved the account meanwhile; look at it again")
        return moved

    async def replace(self, uow: UnitOfWork, account: Account) -> None:
        """Write an account whose data changed and whose state stays. Raises TransitionError where it was moved."""
        known = {"_id": account.id, "state": account.state}
        change = {"$set": self._cipher.account_members(account)}
        if (await self._accounts.update_one(known, change, session=uow.session)).matched_count != 1:
            raise TransitionError("another process moved the account meanwhile; look at it again")

    async def set_factors(self, uow: UnitOfWork, staff_id: StaffId, factors: Factors, totp_step: int) -> None:
        """Replace the factors, forget known places, and mark the step of the code that proved the app as used."""
        members = self._cipher.factor_members(staff_id, factors)
        change = {"$set": {**members, "devices": [], "addresses": [], "failures": 0}, "$max": {"totp_step": totp_step}}
        await self._accounts.update_one({"_id": staff_id}, change, session=uow.session)

    async def use_totp_step(self, staff_id: StaffId, step: int) -> bool:
        """Mark the step as used; return False if it, or a later one, was used before (RFC 6238 §5.2)."""
        later = {"_id": staff_id, "totp_step": {"$lt": step}}
        return (await self._accounts.update_one(later, {"$set": {"totp_step": step}})).modified_count == 1

    async def set_admitted(self, uow: UnitOfWork, staff_id: StaffId, *, admitted: bool, not_before: datetime) -> None:
        """Record what the other services are told about the person. The end of sign-ins never moves back."""
        change = {"$set": {"admitted": admitted}, "$max": {"not_before": not_before}}
        await self._accounts.update_one({"_id": staff_id}, change, session=uow.session)

    def address_hash(self, staff_id: StaffId, address: str) -> str:
        """Return the keyed hash under which an address of a sign-in is stored."""
        return self._cipher.address_hash(staff_id, address)

    async def record_sign_in(
        self, uow: UnitOfWork, staff_id: StaffId, device: str, at: datetime, address: str | None
    ) -> None:
        """Record a sign-in, the browser's device hash, and its address where it is given."""
        places = {"devices": (device, _MOST_DEVICES)}
        if address is not None:
            places["addresses"] = (self.address_hash(staff_id, address), _MOST_ADDRESSES)
        change = {
            "$set": {"last_sign_in": at, "failures": 0},
            "$push": {name: {"$each": [place], "$slice": -most} for name, (place, most) in places.items()},
        }
        earlier = {"$pull": {name: place for name, (place, _) in places.items()}}
        await self._accounts.update_one({"_id": staff_id}, earlier, session=uow.session)
        await self._accounts.update_one({"_id": staff_id}, change, session=uow.session)

    async def record_failure(self, staff_id: StaffId) -> None:
        """Count a failed sign-in; the count is shown to the person at the next sign-in."""
        await self._accounts.update_one({"_id": staff_id}, {"$inc": {"failures": 1}})

    async def record_failure_of_unknown(self) -> None:
        """Count a failed sign-in without an account: the answer then waits for a write as that of a real name does."""
        await self._setup.update_one({"_id": _UNKNOWN}, {"$inc": {"failures": 1}}, upsert=True)

    async def begin_setup(self, uow: UnitOfWork, accounts: tuple[StaffId, StaffId]) -> None:
        """Record who comes first. Raises AccountExistsError where the first accounts were made before."""
        try:
            await self._setup.insert_one({"_id": _FIRST, "waiting": list(accounts)}, session=uow.session)
        except DuplicateKeyError:
            raise AccountExistsError from None

    async def record_first_sign_in(self, uow: UnitOfWork, staff_id: StaffId) -> None:
        """Take the person off the list of those who must sign in before anything else of people works."""
        await self._setup.update_one({"_id": _FIRST}, {"$pull": {"waiting": staff_id}}, session=uow.session)

    async def is_set_up(self) -> bool:
        """Return True once both of the first two people have signed in."""
        document = await self._setup.find_one({"_id": _FIRST})
        return document is not None and document["waiting"] == []

    def _read(self, document: Mapping[str, Any]) -> StoredAccount:
        return StoredAccount(
            account=self._cipher.account(document),
            factors=self._cipher.factors(document),
            admitted=document["admitted"],
            not_before=document["not_before"],
            totp_step=document["totp_step"],
            devices=tuple(document["devices"]),
            addresses=tuple(document.get("addresses", ())),
            last_sign_in=document["last_sign_in"],
            failures=document["failures"],
        )
