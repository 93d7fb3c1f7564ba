"""Hold a person in the clear: exactly the items of R-D1 and R-D2, in a record whose `repr` shows none of them."""

import json
from dataclasses import asdict, dataclass
from typing import Self


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

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    @classmethod
    def from_json(cls, data: bytes | bytearray) -> Self:
        return cls(**json.loads(data))
