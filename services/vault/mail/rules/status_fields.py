"""Read the fields of a delivery report (RFC 3464), whatever syntax its mailer used. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from services.vault.mail.rules.reading import UNDEFINED, Reading

_NAMES: Final = r"a?ction|s?tatus|diagnostic-code|original-recipient|final-recipient"
_FIELD: Final = re.compile(rf"^[ \t>]*({_NAMES})[ \t]*[:;][ \t]*([^\n]*)", re.IGNORECASE | re.MULTILINE)
_FOLD: Final = re.compile(rf"\n[ \t]+(?=\S)(?!(?:{_NAMES})[ \t]*[:;])", re.IGNORECASE)
_STATUS: Final = re.compile(r"(?<![\d.])([245])[.,]\s?(\d{1,3})[.,]\s?(\d{1,3})(?![\d.])")
_SHORT_STATUS: Final = re.compile(r"\W*([245])(?:\d\d)?(?!\d)")
_FAILED: Final = re.compile(
    r"\W*(?:fail|expire|error|undeliver|reject|bounce|refuse|return|abort|不達|失敗|not[ -]deliver|non[ -]?deliver)",
    re.IGNORECASE,
)
_GOING_ON: Final = re.compile(r"\W*(?:delay(?:ed)?|queued)\b", re.IGNORECASE)
_ARRIVED: Final = re.compile(r"\W*(?:delivered|relayed|expanded)\b", re.IGNORECASE)
_TOO_OLD: Final = "4.4.7"
"""Status of RFC 3463 for a message that was given up because its time was over."""


@dataclass
class _Group:
    """Fields about one recipient."""

    action: str | None = None
    code: str | None = None
    diagnostic: str | None = None
    recipients: dict[str, str] = field(default_factory=dict)
    """Values of the recipient fields as they came, by name."""

    def takes(self, name: str) -> bool:
        """Return False if the field begins the next group."""
        if name == "action":
            return self.action is None
        return name not in self.recipients

    def add(self, name: str, value: str) -> None:
        if name == "action":
            self.action = value
        elif name == "status":
            self.code = self.code or _code(value) or _short_code(value)
        elif name == "diagnostic-code":
            self.diagnostic = self.diagnostic or _code(value)
        else:
            self.recipients[name] = value

    @property
    def failure(self) -> str:
        """Status code of the failure; undefined where the group names none or a success."""
        code = self.code or self.diagnostic
        return UNDEFINED if code is None or code.startswith("2") else code


def read_fields(text: str) -> Reading | None:
    """Return the worst verdict of the recipients' groups; None where the fields decide nothing.

    A group begins with a second recipient or Action, not with a blank line: some mailers put one between fields.
    """
    groups = list(_groups(text))
    readings = [_read_group(group) for group in groups]
    for verdict in ("bounced", "unclear"):
        found = [reading for reading in readings if reading is not None and reading.verdict == verdict]
        if found:
            return min(found, key=lambda reading: not reading.status.startswith("5"))
    return Reading("silent") if groups and None not in readings else None


def failed_recipients(text: str) -> list[str]:
    """Return the values of the recipient fields of all groups that say or leave open that the mail failed."""
    groups = [
        group for group in _groups(text) if (reading := _read_group(group)) is None or reading.verdict != "silent"
    ]
    return [value for group in groups for value in group.recipients.values()]


def has_recipient_fields(text: str) -> bool:
    """Return True if the text has a recipient's group with an action or a status."""
    return any(group.recipients and (group.action or group.code) for group in _groups(text))


def _groups(text: str) -> Iterator[_Group]:
    group = _Group()
    is_begun = False
    for name, value in _FIELD.findall(_FOLD.sub(" ", text.replace("\r\n", "\n"))):
        full_name = {"ction": "action", "tatus": "status"}.get(name.lower(), name.lower())
        if is_begun and not group.takes(full_name):
            yield group
            group = _Group()
        is_begun = True
        group.add(full_name, value)
    if is_begun:
        yield group


def _read_group(group: _Group) -> Reading | None:
    """Return the verdict on one recipient; None where neither the action nor the status decides.

    A failed 4.x.x was given up, so it is as final as a 5.x.x (RFC 3464 §2.3.3). An action that contradicts its status
    is for a person.
    """
    action, code = group.action or "", group.code or group.diagnostic or ""
    if _FAILED.match(action):
        return Reading("bounced", group.failure)
    if _GOING_ON.match(action):
        return Reading("unclear", code) if code.startswith("5") else Reading("silent")
    if _ARRIVED.match(action):
        return Reading("unclear", code) if code.startswith(("4", "5")) else Reading("silent")
    if code.startswith("5") or code == _TOO_OLD:
        return Reading("bounced", code)
    if code.startswith("2"):
        return Reading("unclear") if action.strip() else Reading("silent")
    return None


def _code(text: str) -> str | None:
    found = _STATUS.search(text)
    return f"{found[1]}.{found[2]}.{found[3]}" if found else None


def _short_code(text: str) -> str | None:
    found = _SHORT_STATUS.match(text)
    return f"{found[1]}.0.0" if found else None
