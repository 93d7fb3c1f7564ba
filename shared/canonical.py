"""Canonical JSON (RFC 8785, JCS): the bytes that are signed, hashed and chained."""

from collections.abc import Mapping
from typing import Any

import rfc8785


def canonical(value: Mapping[str, Any] | list[Any]) -> bytes:
    """Return the canonical bytes of a JSON value. Raises ValueError for NaN and integers over 2^53."""
    return rfc8785.dumps(value)
