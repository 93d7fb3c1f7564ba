"""A person as the vault knows one: R-D1 and R-D2, nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, repr=False)
class Person:
    """An applicant: exactly one of `age` (years) and `grade` (`p1` … `j3`); the guardian's name only under 20.

    Texts are normalised for display (`normalise`), `phone` and `postal_code` are digits. Shows nothing of itself,
    so that no log line, traceback or debugger says who it is by accident.
    """

    name: str
    postal_code: str
    address: str
    phone: str
    age: int | None = None
    grade: str | None = None
    email: str | None = None
    guardian_name: str | None = None

    def __repr__(self) -> str:
        return "Person(…)"
