"""Hold a person in the clear: exactly the items of R-D1 and R-D2, in records whose `repr` shows none of them."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, Self

from shared.codes import Code

AS_DRAWN: Final = "〓"
"""Stands in a name or address for a character that no font has. Such a card is addressed by hand from the paper."""


@dataclass(frozen=True, repr=False)
class Person:
    """Applicant. Exactly one of `age` (years) and `grade` (p1–p6, j1–j3) is set; text is normalised for display."""

    name: str
    postal_code: str
    address: str
    phone: str
    age: int | None
    grade: str | None
    email: str | None
    guardian_name: str | None

    def __repr__(self) -> str:
        return "Person(…)"


@dataclass(frozen=True, repr=False)
class Identity:
    """Person and code, as they are encrypted together: the code is stored nowhere else in the vault."""

    person: Person
    code: Code

    def __repr__(self) -> str:
        return "Identity(…)"

    def to_json(self) -> bytes:
        """Return the plaintext to encrypt."""
        members = {"person": asdict(self.person), "code": self.code}
        return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    @classmethod
    def from_json(cls, data: bytes | bytearray) -> Self:
        """Read the plaintext."""
        members = json.loads(data)
        return cls(Person(**members["person"]), Code(members["code"]))


_STORED: Final = re.compile(
    rb'\{"person":\{"name":"([^"\\]*)","postal_code":"([^"\\]*)","address":"([^"\\]*)","phone":"([^"\\]*)",'
    rb'"age":[0-9a-z]+,"grade":(?:null|"[^"\\]*"),"email":(?:null|"[^"\\]*"),"guardian_name":(?:null|"([^"\\]*)")\},'
)
"""A plaintext of `Identity.to_json` in which no character is escaped, and the members that a search compares."""


def read_searched(data: bytes | bytearray) -> Mapping[str, str | None]:
    """Return the members that a search compares: reading 20,000 whole identities takes longer than opening them."""
    found = _STORED.match(data)
    if found is None:
        members: dict[str, str | None] = json.loads(data)["person"]
        return members
    name, postal_code, address, phone, guardian = found.groups()
    return {
        "name": name.decode("utf-8"),
        "postal_code": postal_code.decode("ascii", "replace"),
        "address": address.decode("utf-8"),
        "phone": phone.decode("utf-8"),
        "guardian_name": None if guardian is None else guardian.decode("utf-8"),
    }
