"""Compare what handlers keyed from one paper, field by field. Pure; nothing is folded but width and blanks.

髙 and 高 are two values: what stands on the paper is what is keyed.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Self, TypeAlias

from services.vault.applications.rules import normalise
from shared.json_types import JsonObject

Mark: TypeAlias = Literal["empty", "unreadable"]
"""`empty`: the paper gives nothing for the field; `unreadable`: it cannot be read."""

FIELDS: Final = ("name", "postal_code", "address", "phone", "age_or_grade", "guardian", "choices", "email")
"""Fields by which keyings are compared. A paper gives no mail address (R-D1), so `email` is absent in right ones."""

MARKABLE: Final = FIELDS[:-1]

DISCARD_REASONS: Final = ("blank", "duplicate", "not-an-application", "incomplete", "unreadable", "too-late")
"""Reasons for discarding a paper, as the page offers them."""

_INVENTED: Final = {"name": "〓", "postal_code": "0000000", "address": "〓", "phone": "0000000000"}

_LOOSE_BLANK: Final = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])")


@dataclass(frozen=True)
class KeyedSheet:
    """One application as it was keyed: its form without code, and marks of fields without a value."""

    form: JsonObject = field(repr=False)
    marks: Mapping[str, Mark] = field(default_factory=dict)

    @classmethod
    def read(cls, form: JsonObject, marks: Mapping[str, Mark]) -> Self:
        """Return the sheet in one width, without the values of marked fields."""
        applicant = {name: value for name, value in _even(form.get("applicant", {})).items() if name not in marks}
        if "age_or_grade" in marks:
            applicant = {name: value for name, value in applicant.items() if name not in {"age", "grade"}}
        whole = {**form, "applicant": applicant}
        guardian = form.get("guardian")
        if isinstance(guardian, Mapping):
            whole["guardian"] = _even(guardian)
        for name in {"guardian", "choices"} & set(marks):
            whole.pop(name, None)
        return cls(whole, dict(marks))

    def values(self) -> dict[str, object]:
        """Return one value by field that is equal where two handlers read the same."""
        applicant, guardian = self.form.get("applicant") or {}, self.form.get("guardian") or {}
        values: dict[str, object] = {name: _tight(applicant.get(name)) for name in ("name", "address")}
        values |= {name: applicant.get(name) for name in ("postal_code", "phone", "email")}
        values["age_or_grade"] = (applicant.get("age"), applicant.get("grade"))
        values["guardian"] = _tight(guardian.get("name"))
        values["choices"] = [(one.get("class"), one.get("seats")) for one in self.form.get("choices") or []]
        return values | {name: f"({mark})" for name, mark in self.marks.items()}


def fill_marked(form: JsonObject, marks: Collection[str], class_id: str) -> JsonObject:
    """Return the form with an invented value for each marked field, so that the rest can be checked."""
    applicant = form.get("applicant")
    if not isinstance(applicant, Mapping) or not marks:
        return form
    known = {name: value for name, value in applicant.items() if name not in marks}
    known |= {name: value for name, value in _INVENTED.items() if name in marks}
    if "age_or_grade" in marks:
        known = {name: value for name, value in known.items() if name != "grade"} | {"age": 30}
    return {
        **form,
        "applicant": known,
        **({"choices": [{"class": class_id, "seats": 1}]} if "choices" in marks else {}),
    }


@dataclass(frozen=True)
class KeyedContent:
    """All that one handler keyed from one paper: applications, or the reason why there is none."""

    decision: Literal["keyed", "discarded"]
    sheets: tuple[KeyedSheet, ...] = field(default=(), repr=False)
    reason: str | None = None

    @property
    def forms(self) -> tuple[JsonObject, ...]:
        """Contents of the applications."""
        return tuple(sheet.form for sheet in self.sheets)

    @property
    def has_marks(self) -> bool:
        """True where a field has no value, so that another person has to look at the paper or ask the applicant."""
        return any(sheet.marks for sheet in self.sheets)

    def in_one_width(self) -> Self:
        """Return the content with even widths and without values of marked fields; its forms were checked before."""
        return replace(self, sheets=tuple(KeyedSheet.read(sheet.form, sheet.marks) for sheet in self.sheets))

    def to_document(self) -> JsonObject:
        """Return the content as it is encrypted, and as a page shows it to the person who resolves."""
        return {
            "decision": self.decision,
            "reason": self.reason,
            "applications": list(self.forms),
            "marks": [dict(sheet.marks) for sheet in self.sheets],
        }

    @classmethod
    def from_document(cls, document: JsonObject) -> Self:
        """Read what `to_document` wrote."""
        sheets = zip(document["applications"], document["marks"], strict=True)
        return cls(document["decision"], tuple(KeyedSheet(form, marks) for form, marks in sheets), document["reason"])


@dataclass(frozen=True)
class OpenField:
    """Field of the application at `position` (from 0) whose value is not agreed."""

    position: int
    name: str


def differences(one: KeyedContent, other: KeyedContent) -> tuple[OpenField, ...] | None:
    """Return the fields that differ; None where the contents cannot be compared field by field."""
    if one.decision != other.decision or one.reason != other.reason or len(one.sheets) != len(other.sheets):
        return None
    return tuple(
        OpenField(position, name)
        for position, (left, right) in enumerate(zip(one.sheets, other.sheets, strict=True))
        for name in _different(left, right)
    )


def open_fields(keyings: Sequence[KeyedContent]) -> tuple[OpenField, ...] | None:
    """Return the fields that a third person decides: those that differ, and those without a value."""
    first, *others = keyings
    found: set[OpenField] = set()
    for other in others:
        different = differences(first, other)
        if different is None:
            return None
        found |= set(different)
    found |= {
        OpenField(position, name)
        for keyed in keyings
        for position, sheet in enumerate(keyed.sheets)
        for name in sheet.marks
    }
    return tuple(sorted(found, key=lambda one: (one.position, FIELDS.index(one.name))))


def keeps_agreed(final: KeyedContent, keyings: Sequence[KeyedContent]) -> bool:
    """Return True if a resolution changes open fields only; a paper may be discarded where a field has no value."""
    left_open = open_fields(keyings)
    if left_open is None:
        return True
    if final.decision == "discarded":
        return keyings[0].decision == "discarded" or any(one.has_marks for one in keyings)
    changed = differences(keyings[0], final)
    return changed is not None and set(changed) <= set(left_open)


def count_errors(keyed: KeyedContent, final: KeyedContent) -> dict[str, int]:
    """Return how many values of each field differ from the final ones; the whole sheet where the decision differs."""
    if keyed.decision != final.decision or len(keyed.sheets) != len(final.sheets):
        return {"decision": 1}
    errors: dict[str, int] = {}
    for left, right in zip(keyed.sheets, final.sheets, strict=True):
        for name in _different(left, right):
            errors[name] = errors.get(name, 0) + 1
    return errors


def _different(left: KeyedSheet, right: KeyedSheet) -> list[str]:
    ours, theirs = left.values(), right.values()
    return [name for name in FIELDS if ours[name] != theirs[name]]


def _even(members: Mapping[str, object]) -> dict[str, object]:
    """Return the members in one width; values of another type stay, so that the check of the form finds them."""
    return {name: _EVEN[name](value) if isinstance(value, str) and name in _EVEN else value
            for name, value in members.items()}  # fmt: skip


_EVEN: Final = {
    "name": normalise.display,
    "address": normalise.display_address,
    "postal_code": normalise.postal_code,
    "phone": normalise.phone,
}


def _tight(text: object) -> object:
    """Return the text without blanks that separate no numbers or Latin words: 髙橋 一郎 and 髙橋一郎 agree."""
    return _LOOSE_BLANK.sub("", text) if isinstance(text, str) else text
