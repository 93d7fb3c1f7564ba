"""Find the recipients of a batch that a report names. Pure.

An announcement goes to many mailboxes in one transaction, so its bounce address names the batch only. The report's
text is searched for the addresses of the batch, not for any others: whatever else it names is not looked up.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from email import message_from_bytes
from typing import Final

from services.vault.mail.rules.delivery_reports import READ_BYTES, status_texts
from services.vault.mail.rules.report_text import Part, header, own_parts, text_lines, without_returned_mail
from services.vault.mail.rules.status_fields import failed_recipients

_WITHIN_ADDRESS: Final = r"[A-Za-z0-9.!#$%&'*/=?^_`{|}~+-]"


def named_recipients(content: bytes, addresses: Iterable[str]) -> frozenset[str]:
    """Return the addresses that a report names: in its fields where they name any, else in its text and headers.

    Never raises: a report that cannot be parsed names none.
    """
    try:
        return _named(content, list(addresses))
    except Exception:  # noqa: BLE001  (`email` raises many types for damaged mail)
        return frozenset()


def _named(content: bytes, addresses: Sequence[str]) -> frozenset[str]:
    message: Part = message_from_bytes(content[:READ_BYTES])
    parts = list(own_parts(message, is_nested=True))
    fields = " ".join(failed_recipients("\n\n".join(status_texts(parts))))
    by_fields = frozenset(_found(fields, addresses))
    return by_fields or frozenset(_found(_prose(message), addresses))


def _prose(message: Part) -> str:
    lines = without_returned_mail(text_lines(list(own_parts(message))))
    return "\n".join([header(message, "X-Failed-Recipients"), header(message, "Subject"), *lines])


def _found(text: str, addresses: Iterable[str]) -> Iterator[str]:
    searched = text.lower()
    for address in addresses:
        forms = "|".join(re.escape(form) for form in _forms(address.lower()))
        if re.search(rf"(?<!{_WITHIN_ADDRESS})(?:{forms})(?![A-Za-z0-9-]|\.[A-Za-z0-9])", searched):
            yield address


def _forms(address: str) -> set[str]:
    """Return the address as it is, with a quoted or unquoted local part, and in xtext (RFC 3461 §4)."""
    local, _, domain = address.rpartition("@")
    bare = local.strip('"')
    xtext = "".join(f"+{ord(sign):02x}" if sign in "+=" else sign for sign in bare)
    return {f"{form}@{domain}" for form in (bare, f'"{bare}"', xtext)}
