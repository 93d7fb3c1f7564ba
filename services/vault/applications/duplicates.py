"""One person applying twice: found without reading anybody, by keyed hashes of name + phone and name + address.

Exact matches on normalised values. The first application stands, a later one is held for a person to decide:
neither silently dropped nor drawn twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.vault.applications.rules.normalise import address_key, name_key
from services.vault.identities.person import Person
from services.vault.keys.campaign_keys import CampaignKeys
from shared.ids import ApplicationId, CampaignId
from shared.storage import Collection, Index, UnitOfWork

COLLECTION = "blind_index"


@dataclass(frozen=True)
class Match:
    """An earlier application that looks like the same person, and by what (`name-phone`, `name-address`)."""

    application_id: ApplicationId
    kind: str


def collections() -> list[Collection]:
    schema = {
        "bsonType": "object",
        "required": ["_id", "campaign", "kind", "application_id"],
        "properties": {each: {"bsonType": "string"} for each in ("_id", "campaign", "kind", "application_id")},
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema, (Index("campaign"), Index("application_id")))]


def index_keys(keys: CampaignKeys, person: Person) -> dict[str, str]:
    """Kind → keyed hash (hex)."""
    name = name_key(person.name)
    return {
        "name-phone": keys.index_of("name-phone", f"{name}\x00{person.phone}"),
        "name-address": keys.index_of(
            "name-address", f"{name}\x00{person.postal_code}\x00{address_key(person.address)}"
        ),
    }


async def forget(uow: UnitOfWork, application_id: ApplicationId) -> None:
    """A rejected application stands in nobody's way: not in that of the same person applying rightly."""
    await uow.db[COLLECTION].delete_many({"application_id": application_id}, session=uow.session)


class DuplicateSearch:
    """The search within one unit of work: sees what is stored and what this batch has registered so far."""

    def __init__(self, uow: UnitOfWork, campaign: CampaignId) -> None:
        self._uow, self._campaign = uow, campaign
        self._known: dict[str, ApplicationId] = {}
        self._new: list[dict[str, str]] = []

    async def load(self, hashes: Iterable[str]) -> None:
        """Fetch who registered these hashes before, all at once."""
        ids = [self._id(each) for each in hashes]
        cursor = self._uow.db[COLLECTION].find({"_id": {"$in": ids}}, session=self._uow.session)
        self._known = {document["_id"]: document["application_id"] async for document in cursor}

    def match(self, keys: dict[str, str]) -> Match | None:
        for kind, value in keys.items():
            earlier = self._known.get(self._id(value))
            if earlier is not None:
                return Match(earlier, kind)
        return None

    def register(self, application_id: ApplicationId, keys: dict[str, str]) -> None:
        """From now on others match this application."""
        for kind, value in keys.items():
            document_id = self._id(value)
            if document_id not in self._known:
                self._known[document_id] = application_id
                self._new.append(
                    {"_id": document_id, "campaign": self._campaign, "kind": kind, "application_id": application_id}
                )

    async def save(self) -> None:
        """Write what was registered; of two rivals one transaction fails on the unique id and starts over."""
        if self._new:
            await self._uow.db[COLLECTION].insert_many(self._new, session=self._uow.session)

    def _id(self, value: str) -> str:
        return f"{self._campaign}:{value}"
