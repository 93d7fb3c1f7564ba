"""Search bytes for people, in every form in which a name or a number may stand in a log. Pure.

A value is looked for as UTF-8, UTF-16, hex, base64 (at each of its three alignments) and as JSON escapes it; one pass
of Aho-Corasick finds all of them at once.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import ahocorasick

from services.vault.identities.person import Person

_SHORTEST: Final = 6
"""Shortest form that is searched for, in bytes. Shorter ones are found everywhere by chance."""

_CHUNK: Final = 1 << 20


def needles(person: Person) -> frozenset[bytes]:
    """Return the byte forms of name, phone number, address, e-mail address and guardian's name."""
    values = [person.name, person.phone, person.address, person.email, person.guardian_name]
    compact = [value.replace(" ", "") for value in (person.name, person.guardian_name) if value]
    return frozenset(form for value in {*values, *compact} if value for form in forms(value))


def forms(text: str) -> frozenset[bytes]:
    """Return all forms of one value; none if its UTF-8 is shorter than 6 bytes."""
    plain = text.encode("utf-8")
    if len(plain) < _SHORTEST:
        return frozenset()
    wide = (text.encode("utf-16-le"), text.encode("utf-16-be"))
    escaped = json.dumps(text)[1:-1].encode("ascii")
    found = {plain, *wide, escaped, plain.hex().encode(), plain.hex().upper().encode()}
    for data in (plain, *wide):
        found.update(base64_cores(data))
    return frozenset(form for form in found if len(form) >= _SHORTEST)


def base64_cores(data: bytes) -> Iterator[bytes]:
    """Yield the characters that base64 of any longer text contains if the text contains `data`.

    They depend on the alignment, so there are three, each in both alphabets (RFC 4648 §4 and §5).
    """
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + data)
        first = -(-shift * 4 // 3)
        last = (shift + len(data)) * 8 // 6
        core = whole[first:last]
        yield core
        yield core.replace(b"+", b"-").replace(b"/", b"_")


class Search:
    """Count occurrences of needles in streams."""

    def __init__(self, wanted: Iterable[bytes]) -> None:
        self._automaton = ahocorasick.Automaton()
        self._longest = 0
        for needle in wanted:
            self._automaton.add_word(needle.decode("latin-1"), len(needle))
            self._longest = max(self._longest, len(needle))
        self._automaton.make_automaton()

    def hits(self, stream: BinaryIO) -> int:
        """Return the number of occurrences. Chunks overlap by the longest needle, and none is counted twice."""
        if not self._longest:
            return 0
        kept, found = b"", 0
        while chunk := stream.read(_CHUNK):
            text = kept + chunk
            found += sum(1 for end, _ in self._automaton.iter(text.decode("latin-1")) if end >= len(kept))
            kept = text[-(self._longest - 1) :] if self._longest > 1 else b""
        return found
