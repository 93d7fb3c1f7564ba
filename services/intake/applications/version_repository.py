"""Store the versions of applications after the first: one record for each correction or withdrawal.

A record is inserted in one transaction with the application's last version and the event to the vault, so a version
is wholly accepted or not at all. The id of the record is application id and version: two versions cannot share one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from services.intake.receipts.sign import SignedReceipt
from shared.ids import ApplicationId, CampaignId
from shared.storage import Store, UnitOfWork, delete_in_chunks

VERSIONS: Final = "versions"


@dataclass(frozen=True)
class StoredVersion:
    """Hold what intake stores of one version: fingerprint of the request and the signed receipt document."""

    application_id: ApplicationId
    campaign: CampaignId
    version: int
    fingerprint: str
    document: str

    @classmethod
    def of_receipt(
        cls, application_id: ApplicationId, campaign: CampaignId, fingerprint: str, signed: SignedReceipt
    ) -> Self:
        """Return the record of a new version."""
        return cls(application_id, campaign, signed.version, fingerprint, signed.document)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the record of a stored document."""
        return cls(**{name: document[name] for name in cls.__dataclass_fields__})

    def to_document(self) -> dict[str, Any]:
        """Return the document to store."""
        return {"_id": f"{self.application_id}/{self.version}", **vars(self)}


class VersionRepository:
    """Read and write versions."""

    def __init__(self, store: Store) -> None:
        self._versions = store.db[VERSIONS]

    async def add(self, version: StoredVersion, uow: UnitOfWork) -> None:
        """Insert a version."""
        await uow.db[VERSIONS].insert_one(version.to_document(), session=uow.session)

    async def find_same(self, application_id: ApplicationId, fingerprint: str, uow: UnitOfWork) -> StoredVersion | None:
        """Return the version that the same request made before, or None."""
        query = {"application_id": application_id, "fingerprint": fingerprint}
        document = await uow.db[VERSIONS].find_one(query, session=uow.session)
        return None if document is None else StoredVersion.from_document(document)

    async def count(self, campaign: CampaignId) -> int:
        """Return the number of the campaign's versions."""
        return int(await self._versions.count_documents({"campaign": campaign}))

    async def delete(self, campaign: CampaignId) -> None:
        """Delete the campaign's versions. Safe to repeat."""
        await delete_in_chunks(self._versions, {"campaign": campaign})
