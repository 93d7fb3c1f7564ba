"""The one encrypted copy of every identity, and the one way to look at it: with a purpose, by name, and written down.

R-C7: a purpose that the campaign does not allow is refused. R-C9: one copy, under a data key of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.vault.audit import AuditEvent, AuditLog
from services.vault.identities.person import Person
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import NotDecryptableError, Sealed, seal, unseal, wipe
from services.vault.keys.keystore import KeyDestroyedError, Keystore, VaultLockedError
from shared.campaign import Campaign
from shared.errors import PermanentError
from shared.ids import ApplicationId, CampaignId, Receipt, Token
from shared.storage import Collection, Index, Store

COLLECTION = "identities"

__all__ = ["Identities", "PurposeNotAllowedError", "Revealed", "VaultLockedError", "collections", "identity_document"]


class PurposeNotAllowedError(PermanentError):
    """The campaign does not allow identities to be used for this; nothing was decrypted."""


@dataclass(frozen=True)
class Revealed:
    """An identity in the clear, for as short as possible."""

    token: Token
    campaign: CampaignId
    application_id: ApplicationId
    receipt: Receipt
    person: Person = field(repr=False)


def collections() -> list[Collection]:
    schema = {
        "bsonType": "object",
        "required": ["_id", "campaign", "application_id", "receipt", "wrapped_key", "ciphertext"],
        "properties": {
            "_id": {"bsonType": "string", "pattern": "^tok_"},
            "campaign": {"bsonType": "string"},
            "application_id": {"bsonType": "string"},
            "receipt": {"bsonType": "string"},
            "wrapped_key": {"bsonType": "binData"},
            "ciphertext": {"bsonType": "binData"},
            "mailbox": {"bsonType": ["string", "null"], "description": "keyed hash of the e-mail address"},
        },
        "additionalProperties": False,
    }
    indexes = (Index("application_id", unique=True), Index("campaign"), Index("mailbox"))
    return [Collection(COLLECTION, schema, indexes)]


def bound_to(campaign: CampaignId, token: Token) -> str:
    """What an identity's ciphertext is tied to: put under another token, it does not open."""
    return f"kuji/identity/1\x00{campaign}\x00{token}"


def identity_document(
    keys: CampaignKeys,
    *,
    token: Token,
    campaign: CampaignId,
    application_id: ApplicationId,
    receipt: Receipt,
    person: Person,
) -> dict[str, Any]:
    """The document to insert; its personal part is ciphertext."""
    sealed = seal(keys.wrapping, person.to_json(), bound_to(campaign, token))
    return {
        "_id": token,
        "campaign": campaign,
        "application_id": application_id,
        "receipt": receipt,
        "wrapped_key": sealed.wrapped_key,
        "ciphertext": sealed.ciphertext,
        "mailbox": None if person.email is None else mailbox_of(keys, person.email),
    }


def mailbox_of(keys: CampaignKeys, address: str) -> str:
    """Names a mailbox without saying it (blind index): delivery reports spell addresses in either case."""
    return keys.index_of("mailbox", address.casefold())


class Identities:
    """Reads identities."""

    def __init__(
        self, store: Store, keystore: Keystore, audit: AuditLog, campaigns: Mapping[CampaignId, Campaign]
    ) -> None:
        self._documents = store.db[COLLECTION]
        self._keystore, self._audit, self._campaigns = keystore, audit, campaigns

    async def reveal(self, tokens: Sequence[Token], *, purpose: str, actor: str, case: str) -> dict[Token, Revealed]:
        """Identities by token; tokens that are unknown or erased are absent.

        `case` names the occasion (a notice, a batch) and stands in the audit log, which is durable before this
        returns. Raises PurposeNotAllowedError, VaultLockedError, NotRecordedError.
        """
        if self._keystore.locked:
            raise VaultLockedError("the vault is locked; restart it with its passphrase")
        documents = [document async for document in self._documents.find({"_id": {"$in": list(tokens)}})]
        for campaign in {document["campaign"] for document in documents}:
            self._check_purpose(campaign, purpose)
        revealed, events = {}, []
        for document in documents:
            opened = self._open(document)
            events.append(self._event(document, purpose, actor, case, "revealed" if opened else "damaged"))
            if opened is not None:
                revealed[opened.token] = opened
        await self._audit.record([event for event in events if event is not None])
        return revealed

    async def holders(self, address: str) -> list[tuple[CampaignId, Token]]:
        """Whose mailbox this is, in every campaign that has a key; nobody is opened for it."""
        if self._keystore.locked:
            raise VaultLockedError("the vault is locked; restart it with its passphrase")
        hashes = [mailbox_of(keys, address) for campaign in self._campaigns if (keys := self._keys_of(campaign))]
        found = self._documents.find({"mailbox": {"$in": hashes}}, {"campaign": 1})
        return [(CampaignId(document["campaign"]), Token(document["_id"])) async for document in found]

    def _keys_of(self, campaign: CampaignId) -> CampaignKeys | None:
        try:
            return self._keystore.campaign(campaign)
        except (KeyDestroyedError, KeyError):
            return None

    def _check_purpose(self, campaign: CampaignId, purpose: str) -> None:
        known = self._campaigns.get(campaign)
        if known is None or purpose not in known.purposes:
            raise PurposeNotAllowedError(f"campaign {campaign} does not allow the purpose {purpose}")

    def _open(self, document: dict[str, Any]) -> Revealed | None:
        """None where the key is gone: then nobody can."""
        campaign, token = CampaignId(document["campaign"]), Token(document["_id"])
        try:
            keys = self._keystore.campaign(campaign)
            sealed = Sealed(document["wrapped_key"], document["ciphertext"])
            plaintext = unseal(keys.wrapping, sealed, bound_to(campaign, token))
        except (KeyDestroyedError, KeyError, NotDecryptableError):
            return None
        try:
            person = Person.from_json(plaintext)
        finally:
            wipe(plaintext)
        return Revealed(token, campaign, document["application_id"], document["receipt"], person)

    def _event(self, document: dict[str, Any], purpose: str, actor: str, case: str, outcome: str) -> AuditEvent | None:
        campaign = CampaignId(document["campaign"])
        try:
            subject = self._keystore.campaign(campaign).subject_of(document["application_id"])
        except (KeyDestroyedError, KeyError):
            return None
        return AuditEvent(actor, "service", f"reveal:{case}", purpose, campaign, subject, outcome)
