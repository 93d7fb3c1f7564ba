"""Name the blocks in which an application is searched: two of one person share at least one of them. Pure.

A block is stored as a keyed hash only. It is small: a name, a household's telephone, mailbox or house, or a reading
of a given name within one postal code.
"""

from collections.abc import Iterator

from services.vault.applications.rules.similarity import Compared


def blocks(one: Compared) -> frozenset[tuple[str, str]]:
    """Return the kind and value of each block; values are personal data until they are hashed."""
    return frozenset(_blocks(one))


def _blocks(one: Compared) -> Iterator[tuple[str, str]]:
    yield "name", one.name.whole
    yield "phone", one.phone
    yield "dwelling", one.address.dwelling
    if one.email is not None:
        yield "mail", one.email
    for reading in one.name.given_readings:
        yield "given-here", f"{one.postal_code}\x00{reading}"
    yield "given-here", f"{one.postal_code}\x00{one.name.given}"
