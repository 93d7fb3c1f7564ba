"""Read what a handler searches for, and compare it with a person. Pure; nothing typed is ever in an error or `repr`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, Self

from services.vault.applications.rules.normalise import VARIANTS, address_key, name_key, phone, postal_code
from services.vault.applications.rules.variants import FOLDED, fold_characters
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
    name: str = ""
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
        characters = {one for one in self.name + self.address if _is_kept(one)}
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

    def matches(self, person: Mapping[str, Any]) -> bool:
        """Return True if the person has all parts. `person`: members of `Person`, as they are stored."""
        if self.phone and self.phone not in person["phone"]:
            return False
        if self.postal and self.postal != person["postal_code"]:
            return False
        if self.name and not self._is_named(person):
            return False
        return not self.address or self.address in address_key(person["address"])

    def _is_named(self, person: Mapping[str, Any]) -> bool:
        guardian = person["guardian_name"]
        return self.name in _name_key(person["name"]) or (guardian is not None and self.name in _name_key(guardian))


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


def _name(text: str) -> str:
    if len(text) > _LONGEST:
        raise QueryError("name")
    return _name_key(text) if text else ""


def _name_key(name: str) -> str:
    """Return the name without blanks, widths, kana forms and variants of the public table."""
    return fold_characters(name_key(name))


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
