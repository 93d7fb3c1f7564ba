"""Read an account from a form or from JSON: every member checked, no value repeated in an error."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Final

from services.vault.people.rules.account import Account, AccountState, StaffId, Training, is_staff_id
from shared.staff_roles import Role, parse_roles

_LONGEST: Final = 100
_MAIL: Final = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9.-]{1,190}")


class FieldError(Exception):
    """Raised with the name of the first field that is missing or wrong."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def read_account(fields: Mapping[str, str]) -> Account:
    """Return the requested account. Raises FieldError.

    Fields: id, name, office, mail, roles (blanks between), starts, ends, tasks (commas between), course, held,
    valid_until, teacher, pledged (may be empty). Days are ISO 8601.
    """
    staff_id = fields.get("id", "").strip()
    if not is_staff_id(staff_id):
        raise FieldError("id")
    mail = fields.get("mail", "").strip()
    if _MAIL.fullmatch(mail) is None:
        raise FieldError("mail")
    starts, ends = _day(fields, "starts"), _day(fields, "ends")
    if ends < starts:
        raise FieldError("ends")
    return Account(
        id=StaffId(staff_id),
        name=_line(fields, "name"),
        office=_line(fields, "office"),
        mail=mail,
        roles=_roles(fields.get("roles", "")),
        starts=starts,
        ends=ends,
        tasks=tuple(task for part in re.split("[,、]", fields.get("tasks", "")) if (task := part.strip()[:_LONGEST])),
        training=_training(fields),
        pledged=_day(fields, "pledged") if fields.get("pledged", "").strip() else None,
        state=AccountState.REQUESTED,
    )


def _training(fields: Mapping[str, str]) -> tuple[Training, ...]:
    """Return the training record, or none where the form names no course: then the person may not sign in yet."""
    if not fields.get("course", "").strip():
        return ()
    held, valid_until = _day(fields, "held"), _day(fields, "valid_until")
    if valid_until < held:
        raise FieldError("valid_until")
    return (Training(_line(fields, "course"), held, valid_until, _line(fields, "teacher")),)


def _roles(text: str) -> frozenset[Role]:
    try:
        roles = parse_roles(text.split())
    except ValueError:
        raise FieldError("roles") from None
    if not roles:
        raise FieldError("roles")
    return roles


def _line(fields: Mapping[str, str], name: str) -> str:
    text = unicodedata.normalize("NFC", fields.get(name, "").strip())
    if not 0 < len(text) <= _LONGEST or any(unicodedata.category(character) == "Cc" for character in text):
        raise FieldError(name)
    return text


def _day(fields: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(fields.get(name, "").strip())
    except ValueError:
        raise FieldError(name) from None
