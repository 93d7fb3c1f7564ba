"""Read JSON of which two readers cannot see different content: RFC 7493 (I-JSON). Pure."""

import json
from typing import Any, NoReturn

from shared.json_types import JsonObject


def parse_strict_json(data: bytes) -> object:
    """Return the parsed value. Raises ValueError, without the text, where RFC 7493 allows no such text.

    Refused: other encodings than UTF-8, repeated member names, NaN and infinities, nesting that the parser gives up on.
    """
    try:
        value: object = json.loads(data.decode("utf-8"), object_pairs_hook=_members, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError("not JSON as RFC 7493 has it") from None
    return value


def _members(pairs: list[tuple[str, Any]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member name is repeated")
    return members


def _refuse(_: str) -> NoReturn:
    raise ValueError("a number that JSON does not have")
