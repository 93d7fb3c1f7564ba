"""Find applications of one person by keyed hashes of name + phone and name + address, without opening an identity.

Matches are exact, on normalised values. The first application stands; a later one is held for a person to decide:
it is neither dropped silently nor drawn twice.
"""

from collections.abc import Iterable, Mapping

from services.vault.applications.index_repository import BlindIndexRepository
from services.vault.applications.repository import Match
from services.vault.applications.rules.normalise import address_key, name_key
from services.vault.identities.person import Person
from services.vault.keys.campaign_keys import CampaignKeys
from shared.ids import ApplicationId


def index_keys(keys: CampaignKeys, person: Person) -> dict[str, str]:
    """Return kind → keyed hash (hex)."""
    name = name_key(person.name)
    return {
        "name-phone": keys.index_of("name-phone", f"{name}\x00{person.phone}"),
        "name-address": keys.index_of(
            "name-address", f"{name}\x00{person.postal_code}\x00{address_key(person.address)}"
        ),
    }


class DuplicateSearch:
    """Search within one unit of work, in the stored index and in the applications registered so far."""

    def __init__(self, index: BlindIndexRepository) -> None:
        self._index = index
        self._owners: dict[str, ApplicationId] = {}
        self._new: dict[str, tuple[str, ApplicationId]] = {}

    async def load(self, hashes: Iterable[str]) -> None:
        """Read the owners of these hashes in one query."""
        self._owners = await self._index.owners(hashes)

    def match(self, keys: Mapping[str, str]) -> Match | None:
        """Return the earlier application that shares one of the hashes; None if there is none."""
        for kind, value in keys.items():
            earlier = self._owners.get(value)
            if earlier is not None:
                return Match(earlier, kind)
        return None

    def register(self, application_id: ApplicationId, keys: Mapping[str, str]) -> None:
        """Let later applications match this one."""
        for kind, value in keys.items():
            if value not in self._owners:
                self._owners[value] = application_id
                self._new[value] = (kind, application_id)

    async def save(self) -> None:
        """Write the registered hashes."""
        await self._index.insert(self._new)
