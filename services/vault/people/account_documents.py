"""Encrypt accounts and factors under the installation's staff key, and read them back (ADR 28)."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.vault.keys.ciphers.envelope import Sealed, seal, unseal, wipe
from services.vault.keys.keystore import Keystore
from services.vault.people.rules.account import Account, AccountState, StaffId, Training
from shared.json_types import JsonObject
from shared.staff_roles import parse_roles


@dataclass(frozen=True, repr=False)
class Factors:
    """Password hash (argon2id, PHC string) and TOTP secret (Base32); each None where the person uses passkeys only."""

    password: str | None = None
    totp: str | None = None


class AccountCipher:
    """Write and read the encrypted parts of accounts. Raises VaultLockedError while the vault is sealed."""

    def __init__(self, keystore: Keystore) -> None:
        self._keystore = keystore

    def account_members(self, account: Account) -> JsonObject:
        """Return the members of a document that describe the account."""
        private = {
            "name": account.name,
            "office": account.office,
            "mail": account.mail,
            "tasks": list(account.tasks),
            "pledged": account.pledged and account.pledged.isoformat(),
            "training": [
                {**vars(record), "held": record.held.isoformat(), "valid_until": record.valid_until.isoformat()}
                for record in account.training
            ],
        }
        sealed = self.seal(private, _account_of(account.id))
        return {
            "state": account.state,
            "roles": sorted(account.roles),
            "starts": account.starts.isoformat(),
            "ends": account.ends.isoformat(),
            "wrapped_key": sealed.wrapped_key,
            "ciphertext": sealed.ciphertext,
        }

    def account(self, document: Mapping[str, Any]) -> Account:
        """Return the account of a document. Raises NotDecryptableError."""
        staff_id = StaffId(document["_id"])
        private = self.unseal(Sealed(document["wrapped_key"], document["ciphertext"]), _account_of(staff_id))
        return _account(document, private)

    def factor_members(self, staff_id: StaffId, factors: Factors) -> JsonObject:
        """Return the members of a document that hold the factors."""
        sealed = self.seal(vars(factors), _factors_of(staff_id))
        return {"factors_key": sealed.wrapped_key, "factors": sealed.ciphertext}

    def factors(self, document: Mapping[str, Any]) -> Factors:
        """Return the factors of a document; both are None before the invitation was used."""
        if document["factors"] is None:
            return Factors()
        sealed = Sealed(document["factors_key"], document["factors"])
        return Factors(**self.unseal(sealed, _factors_of(StaffId(document["_id"]))))

    def address_hash(self, staff_id: StaffId, address: str) -> str:
        """Return a keyed hash of an address; without the key all addresses could be tried."""
        text = f"kuji/address/1\x00{staff_id}\x00{address}"
        return hmac.new(self._keystore.staff_key(), text.encode("utf-8", "replace"), "sha256").hexdigest()

    def seal(self, content: Mapping[str, object], bound_to: str) -> Sealed:
        return seal(self._keystore.staff_key(), json.dumps(content, ensure_ascii=False).encode(), bound_to)

    def unseal(self, sealed: Sealed, bound_to: str) -> JsonObject:
        """Return what was sealed. Raises NotDecryptableError."""
        plaintext = unseal(self._keystore.staff_key(), sealed, bound_to)
        try:
            content: JsonObject = json.loads(plaintext)
        finally:
            wipe(plaintext)
        return content


def _account(document: Mapping[str, Any], private: Mapping[str, Any]) -> Account:
    return Account(
        id=StaffId(document["_id"]),
        name=private["name"],
        office=private["office"],
        mail=private["mail"],
        roles=parse_roles(document["roles"]),
        starts=date.fromisoformat(document["starts"]),
        ends=date.fromisoformat(document["ends"]),
        tasks=tuple(private["tasks"]),
        training=tuple(
            Training(
                record["course"],
                date.fromisoformat(record["held"]),
                date.fromisoformat(record["valid_until"]),
                record["teacher"],
            )
            for record in private["training"]
        ),
        pledged=private["pledged"] and date.fromisoformat(private["pledged"]),
        state=AccountState(document["state"]),
    )


def _account_of(staff_id: StaffId) -> str:
    return f"kuji/staff/1\x00{staff_id}"


def _factors_of(staff_id: StaffId) -> str:
    return f"kuji/staff-factors/1\x00{staff_id}"
