"""Canonical JSON (RFC 8785, JCS): the bytes that are signed, hashed and chained."""

import json
from collections.abc import Mapping
from typing import Any, Final

import rfc8785

_LARGEST: Final = 2**53 - 1

_encode: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


def canonical(value: Mapping[str, Any] | list[Any]) -> bytes:
    """Return the canonical bytes of a JSON value. Raises ValueError for NaN and integers over 2^53.

    Python's own encoder writes the same bytes as the library, many times faster, unless a number is no integer (its
    spelling differs) or a name is not ASCII (names are sorted by UTF-16 code units).
    """
    if _is_simple(value):
        try:
            return _encode(value).encode("utf-8")
        except UnicodeEncodeError:
            pass  # a lone surrogate: the library's error tells so
    return rfc8785.dumps(value)


def _is_simple(value: object) -> bool:
    """Return True if Python's encoder writes the value as RFC 8785 does. Subclasses are left to the library."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -_LARGEST <= value <= _LARGEST  # type: ignore[operator]  # `kind` tells that it is an integer
    if kind is dict:
        return all(type(name) is str and name.isascii() and _is_simple(member) for name, member in value.items())  # type: ignore[attr-defined]
    return kind is list and all(map(_is_simple, value))  # type: ignore[call-overload]
