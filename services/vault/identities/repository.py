"""Store identities: one encrypted copy each, under a data key of its own ← the campaign's key (R-C9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from services.vault.identities.person import Identity, Person
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import Sealed, seal, unseal, wipe
from shared.codes import Code
from shared.ids import ApplicationId, CampaignId, Receipt, Token
from shared.storage import Collection, Index, Store, UnitOfWork

COLLECTION: Final = "identities"


@dataclass(frozen=True)
class StoredIdentity:
    """An identity at rest.

    `mailbox`, `residence`: keyed hashes of the e-mail address and of the postal address, to compare them without
    opening a person; None if the applicant gave none.
    """

    token: Token
    campaign: CampaignId
    application_id: ApplicationId
    receipt: Receipt
    sealed: Sealed
    mailbox: str | None
    residence: str | None = None

    @classmethod
    def encrypt(
        cls,
        keys: CampaignKeys,
        *,
        token: Token,
        campaign: CampaignId,
        application_id: ApplicationId,
        receipt: Receipt,
        person: Person,
        code: Code,
        residence: str | None = None,
    ) -> Self:
        """Encrypt a person and the code under a fresh data key."""
        sealed = seal(keys.wrapping, Identity(person, code).to_json(), bound_to(campaign, token))
        mailbox = None if person.email is None else mailbox_hash(keys, person.email)
        return cls(token, campaign, application_id, receipt, sealed, mailbox, residence)

    def decrypt(self, keys: CampaignKeys) -> Identity:
        """Return person and code. Raises NotDecryptableError."""
        plaintext = unseal(keys.wrapping, self.sealed, bound_to(self.campaign, self.token))
        try:
            return Identity.from_json(plaintext)
        finally:
            wipe(plaintext)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection."""
        return cls(
            token=Token(document["_id"]),
            campaign=CampaignId(document["campaign"]),
            application_id=ApplicationId(document["application_id"]),
            receipt=Receipt(document["receipt"]),
            sealed=Sealed(document["wrapped_key"], document["ciphertext"]),
            mailbox=document.get("mailbox"),
            residence=document.get("residence"),
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document to insert; its personal part is ciphertext."""
        return {
            "_id": self.token,
            "campaign": self.campaign,
            "application_id": self.application_id,
            "receipt": self.receipt,
            "wrapped_key": self.sealed.wrapped_key,
            "ciphertext": self.sealed.ciphertext,
            "mailbox": self.mailbox,
            "residence": self.residence,
        }


def collections() -> list[Collection]:
    """Return the collections to prepare."""
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
            "residence": {"bsonType": ["string", "null"], "description": "keyed hash of the postal address"},
        },
        "additionalProperties": False,
    }
    indexes = (Index("application_id", unique=True), Index("campaign"), Index("mailbox"))
    return [Collection(COLLECTION, schema, indexes)]


def bound_to(campaign: CampaignId, token: Token) -> str:
    """Return the associated data of an identity's ciphertext: under another token it does not open."""
    return f"kuji/identity/1\x00{campaign}\x00{token}"


def mailbox_hash(keys: CampaignKeys, address: str) -> str:
    """Return the blind index of a mailbox. Case is folded, because delivery reports change it."""
    return keys.index_of("mailbox", address.casefold())


class IdentityRepository:
    """Read and write identities; nothing is decrypted here."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def insert(self, uow: UnitOfWork, identities: Sequence[StoredIdentity]) -> None:
        """Insert the identities within the unit of work."""
        if identities:
            documents = [identity.to_document() for identity in identities]
            await uow.db[COLLECTION].insert_many(documents, session=uow.session)

    async def replace(self, uow: UnitOfWork, identity: StoredIdentity) -> None:
        """Write the identity of a corrected application; the earlier person is gone with its data key."""
        document = identity.to_document()
        await uow.db[COLLECTION].replace_one({"_id": identity.token}, document, upsert=True, session=uow.session)

    async def by_tokens(self, tokens: Sequence[Token], uow: UnitOfWork | None = None) -> list[StoredIdentity]:
        """Return the identities of these tokens; unknown and erased tokens are absent."""
        found = self._documents.find({"_id": {"$in": list(tokens)}}, session=uow.session if uow else None)
        return [StoredIdentity.from_document(document) async for document in found]
