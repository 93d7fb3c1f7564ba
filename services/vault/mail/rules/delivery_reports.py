"""Read delivery reports (RFC 3464): the mailbox that finally got nothing, and the status code. Pure.

A report quotes addresses and often the whole mail; nothing but the code ever leaves this module unmasked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any, Final, TypeAlias

_STATUS: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?!\d)")
_UNDEFINED: Final = "5.0.0"
_ADDRESS_FIELDS: Final = ("Original-Recipient", "Final-Recipient")
_ADDRESS_TYPES: Final = frozenset({"rfc822", "utf-8"})

Part: TypeAlias = "Message[Any, Any]"


@dataclass(frozen=True)
class Failure:
    """Recipient that finally did not get the mail: `status` per RFC 3463, addresses as asked for and as tried."""

    status: str
    addresses: tuple[str, ...] = field(repr=False)


def failures(report: bytes) -> tuple[Failure, ...]:
    """Empty where this is no delivery report, or one of delay or success. Never raises for odd bytes."""
    try:
        message = message_from_bytes(report)
        blocks = [block for part in message.walk() for block in _blocks(part)]
    except RecursionError:
        return ()
    return tuple(failure for block in blocks if (failure := _failure(block)) is not None)


def _blocks(part: Part) -> Iterator[Part]:
    """Yield the groups of fields of a delivery-status part; the first describes the message, the others recipients."""
    payload = part.get_payload()
    if part.get_content_type() == "message/delivery-status" and isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message))


def _failure(block: Part) -> Failure | None:
    """Return the failure of a group, if it is one. A failed 4.x.x was given up, so it is as final as a 5.x.x.

    Source: RFC 3464 §2.3.3.
    """
    if _text(block, "Action").lower() != "failed":
        return None
    status = _STATUS.match(_text(block, "Status"))
    addresses = [address for name in _ADDRESS_FIELDS if (address := _address(_text(block, name)))]
    code = status[1] if status and not status[1].startswith("2") else _UNDEFINED
    return Failure(code, tuple(dict.fromkeys(addresses))) if addresses else None


def _address(value: str) -> str | None:
    """`rfc822; someone@example.jp` without type and angle brackets; None for other kinds of address."""
    kind, separator, address = value.partition(";")
    if not separator or kind.strip().lower() not in _ADDRESS_TYPES:
        return None
    plain = address.strip().removeprefix("<").removesuffix(">")
    return plain if "@" in plain else None


def _text(block: Part, name: str) -> str:
    return str(block.get(name, "")).strip()
