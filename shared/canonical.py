"""Canonical JSON (RFC 8785, JCS): the bytes that are signed, hashed and chained."""

from collections.abc import Mapping
from typing import Any

import rfc8785


def canonical(value: Mapping[str, Any] | list[Any]) -> bytes:
    """The one byte form of a JSON value. ValueError for what JSON cannot carry (NaN, integers beyond 2^53)."""
    return rfc8785.dumps(value)
