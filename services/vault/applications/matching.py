"""Keyed hashes by which applications of one person are found, without opening an identity. Pure."""

from typing import Final

from services.vault.applications.rules.normalise import address_key, name_key
from services.vault.applications.stored import StoredApplication
from services.vault.identities.person import Person
from services.vault.keys.campaign_keys import CampaignKeys

COPY: Final = "copy"
"""Kind of the hash over all fields of a person. Equal hashes: an exact copy, whatever its classes are."""

KINDS: Final = ("name-phone", "name-address")
"""Kinds of matching keys: who shares one looks like the same person."""


def keyed_hashes(keys: CampaignKeys, person: Person) -> dict[str, str]:
    """Return kind → keyed hash (hex)."""
    name, address = name_key(person.name), address_key(person.address)
    guardian = "" if person.guardian_name is None else name_key(person.guardian_name)
    rest = (person.age, person.grade, person.email, guardian)
    fields = (name, person.postal_code, address, person.phone, *map(str, rest))
    return {
        "name-phone": keys.index_of("name-phone", f"{name}\x00{person.phone}"),
        "name-address": keys.index_of("name-address", f"{name}\x00{person.postal_code}\x00{address}"),
        COPY: keys.index_of(COPY, "\x00".join(fields)),
    }


def matching_keys(application: StoredApplication) -> dict[str, str]:
    """Return the keys by which an application looks like another one of the same person."""
    return {kind: application.keys[kind] for kind in KINDS if kind in application.keys}
