"""Keep a connection when a message has properties that the client library cannot decode.

`pamqp` raises for a text that is no UTF-8, an unknown type or tables nested without end, and `aiormq` then closes the
connection. The broker passes such properties on, so that one service could stop the consumers of another: the message
comes again until its deliveries and those of its neighbours are used up. With `tolerate`, odd text is decoded with
replacement characters, and properties that still cannot be read count as absent. Neither passes `Trust`.
"""

import struct
from typing import Any, Final

from pamqp import commands, decode, header

_LENGTH_BYTES: Final = 1
_unmarshal = header.ContentHeader.unmarshal


def tolerate() -> None:
    """Replace two functions of the library; a second call changes nothing."""
    setattr(decode, "short_str", _short_text)  # noqa: B010  (mypy refuses a plain assignment to a function)
    decode.METHODS["shortstr"] = _short_text
    setattr(header.ContentHeader, "unmarshal", _unmarshal_or_empty)  # noqa: B010


def _short_text(value: bytes) -> tuple[int, str]:
    """Return the bytes read and the text. Raises ValueError as the library does."""
    if not value or len(value) < _LENGTH_BYTES + value[0]:
        raise ValueError("Could not unpack short string value")
    end = _LENGTH_BYTES + value[0]
    return end, value[_LENGTH_BYTES:end].decode("utf-8", "replace")


def _unmarshal_or_empty(self: Any, data: bytes) -> None:
    """Read a content header; without readable properties it keeps its size, which frames the body."""
    try:
        _unmarshal(self, data)
    except Exception:  # noqa: BLE001  (the library raises many types, and RecursionError)
        self.class_id, self.weight, self.body_size = struct.unpack(">HHQ", data[:12])
        self.properties = commands.Basic.Properties()
