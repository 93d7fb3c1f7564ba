"""Keyed hashes by which applications of one person are found, without opening an identity. Pure."""

from typing import Final

from services.vault.applications.rules.blocks import blocks
from services.vault.applications.rules.normalise import address_key, name_key, without_extension
from services.vault.applications.rules.similarity import Compared
from services.vault.applications.stored import StoredApplication
from services.vault.identities.person import Person
from services.vault.keys.campaign_keys import CampaignKeys

COPY: Final = "copy"
"""Kind of the hash over all fields of a person, the name of a content. Equal hashes: an exact copy."""

PLACE_KINDS: Final = ("name-phone", "name-address")
"""Kinds of hashes whose change makes a version count as arriving with that version (`docs/protocols.md` §1)."""


def keyed_hashes(keys: CampaignKeys, person: Person) -> dict[str, str]:
    """Return kind → keyed hash (hex)."""
    name, address = name_key(person.name), address_key(person.address)
    guardian = "" if person.guardian_name is None else name_key(person.guardian_name)
    rest = (person.age, person.grade, person.email, guardian)
    fields = (name, person.postal_code, address, person.phone, *map(str, rest))
    return {
        "name-phone": keys.index_of("name-phone", f"{name}\x00{without_extension(person.phone)}"),
        "name-address": keys.index_of("name-address", f"{name}\x00{person.postal_code}\x00{address}"),
        COPY: keys.index_of(COPY, "\x00".join(fields)),
    }


def residence_hash(keys: CampaignKeys, person: Person) -> str:
    """Return the keyed hash (hex) of the postal address, by which two applications' addresses are compared."""
    return keys.index_of("residence", f"{person.postal_code}\x00{address_key(person.address)}")


def keyed_blocks(keys: CampaignKeys, compared: Compared) -> dict[str, str]:
    """Return keyed hash (hex) → kind of each block in which this applicant is searched."""
    return {keys.index_of(f"block-{kind}", value): kind for kind, value in blocks(compared)}


def keeps_place(earlier: StoredApplication, judged: StoredApplication) -> bool:
    """Return True if a version changes no matching key, so that it keeps its place among those of one person.

    A handler's rejection of the own content keeps it for the same content only.
    """
    if any(kind not in judged.keys or earlier.keys.get(kind) != judged.keys[kind] for kind in PLACE_KINDS):
        return False
    return earlier.is_applying or (earlier.own_decision is not None and earlier.keys == judged.keys)
