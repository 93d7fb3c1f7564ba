"""Read what a handler searches for, and compare it with a person. Pure; nothing typed is ever in an error or `repr`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, Self

from services.vault.applications.rules.match_keys import Readings
from services.vault.applications.rules.normalise import VARIANTS, address_key, phone, postal_code
from services.vault.applications.rules.variants import FOLDED
from services.vault.telephone.rules.spoken_name import SpokenName, spoken_parts
from shared.address_numerals import NUMERALS
from shared.codes import entry_prefix, normalise_entry_number
from shared.errors import KujiError
from shared.ids import Receipt
from shared.receipts import normalise_receipt

QueryField = Literal["number", "name", "phone", "address"]
FIELDS: Final[tuple[QueryField, ...]] = ("number", "name", "phone", "address")

_LEAST_DIGITS: Final = 4
_LONGEST: Final = 100
_LEAST_ADDRESS: Final = 2
_VARIANTS: Final = frozenset({*map(chr, VARIANTS), *VARIANTS.values(), *map(chr, FOLDED), *FOLDED.values()})
_FOLDED: Final = _VARIANTS | frozenset("〇零一二三四五六七八九十百千之丁目番地号室棟")
"""Characters that folding makes of others, or takes away: variants, kanji numerals, words of addresses."""

_POSTAL: Final = re.compile(r"[0-9]{7}")
_NUMBERS: Final = re.compile(r"[0-9]+")
_OTHER_NUMBERS: Final = re.compile(f"[^\u3041-\u30ff\u4e00-\u9fff0-9A-Za-z -]|[{NUMERALS}]")
"""Characters that a number may be written with, or folding may make one of: all but kana, kanji and plain signs."""


class QueryError(KujiError):
    """Raised when a field cannot be searched for. `field` names it; None if no field was filled in."""

    def __init__(self, field: QueryField | None) -> None:
        super().__init__("this cannot be searched for")
        self.field: QueryField | None = field


@dataclass(frozen=True, repr=False)
class PersonQuery:
    """Search of one campaign; empty members do not count, and all others must hold.

    `receipt`, `entry`: exact numbers, found by index. `name`, `phone`, `address`: parts, compared with each person in
    memory. `postal`: a whole postal code typed as the address.
    """

    receipt: Receipt | None = None
    entry: str | None = None
    """First 40 bits of the entry id, 10 hex digits."""
    name: tuple[str, ...] = ()
    """Folded parts, as they were typed between blanks."""
    phone: str = ""
    address: str = ""
    postal: str = ""

    def __repr__(self) -> str:
        return "PersonQuery(…)"

    @cached_property
    def certain_bytes(self) -> tuple[bytes, ...]:
        """Bytes that the stored JSON (UTF-8) of every matching person has.

        They are looked for first, because folding every name and address would take longer than opening them.
        """
        characters = {one for one in "".join(self.name) + self.address if _is_kept(one)}
        whole = (self.phone, self.postal, *sorted(characters))
        return tuple(part.encode("utf-8") for part in whole if part)

    @property
    def needs_scan(self) -> bool:
        """True unless a number leads to the application at once."""
        return self.receipt is None and self.entry is None

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> Self:
        """Read the fields of the form. Raises QueryError."""
        typed = {name: fields.get(name, "").strip() for name in FIELDS}
        if not any(typed.values()):
            raise QueryError(None)
        receipt, entry = _number(typed["number"])
        address, postal = _address(typed["address"])
        return cls(receipt, entry, _name(typed["name"]), _phone(typed["phone"]), address, postal)


class PersonComparison:
    """Compare many people with one query, for as long as one search. `readings`: of the parts of names."""

    def __init__(self, query: PersonQuery, readings: Readings) -> None:
        self._query, self._name = query, SpokenName(query.name, readings) if query.name else None
        self._numbers = tuple(_NUMBERS.findall(query.address))

    def __repr__(self) -> str:
        return "PersonComparison(…)"

    def fits(self, person: Mapping[str, str | None]) -> bool:
        """Return True if the person has all parts. `person`: members of `Person`, as they are stored."""
        query = self._query
        if query.phone and query.phone not in (person["phone"] or ""):
            return False
        if query.postal and query.postal != person["postal_code"]:
            return False
        if self._name is not None and not self._is_named(self._name, person):
            return False
        return not query.address or self._lives_at(person["address"] or "")

    def _is_named(self, name: SpokenName, person: Mapping[str, str | None]) -> bool:
        guardian = person["guardian_name"]
        return name.fits(person["name"] or "") or (guardian is not None and name.fits(guardian))

    def _lives_at(self, address: str) -> bool:
        """Compare the keys; an address of plain digits that lacks one of the numbers needs no key."""
        if not _OTHER_NUMBERS.search(address) and not all(number in address for number in self._numbers):
            return False
        return self._query.address in address_key(address)


def _is_kept(character: str) -> bool:
    """Return True for a kanji that folding keeps and makes of no other character."""
    return "\u4e00" <= character <= "\u9fff" and character not in _FOLDED


def _number(text: str) -> tuple[Receipt | None, str | None]:
    if not text:
        return None, None
    try:
        return normalise_receipt(text), None
    except ValueError:
        pass
    try:
        return None, entry_prefix(normalise_entry_number(text))
    except ValueError:
        raise QueryError("number") from None


def _name(text: str) -> tuple[str, ...]:
    if len(text) > _LONGEST:
        raise QueryError("name")
    return spoken_parts(text)


def _phone(text: str) -> str:
    digits = phone(text)
    if digits and not (digits.isascii() and digits.isdigit() and len(digits) >= _LEAST_DIGITS):
        raise QueryError("phone")
    return digits


def _address(text: str) -> tuple[str, str]:
    """Return the part of an address to compare, or a postal code."""
    if not text:
        return "", ""
    if _POSTAL.fullmatch(postal_code(text)):
        return "", postal_code(text)
    key = address_key(text)
    if not _LEAST_ADDRESS <= len(key) <= _LONGEST:
        raise QueryError("address")
    return key, ""
