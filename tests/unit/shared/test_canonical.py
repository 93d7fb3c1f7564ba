"""Canonical JSON: the fast way writes the same bytes, and raises for the same values, as the library (RFC 8785)."""

import enum
import json

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from shared import canonical as module
from shared.canonical import canonical
from shared.json_types import JsonObject

TEXTS = st.text(st.characters(codec=None, exclude_categories=())) | st.text(
    st.sampled_from('"\\/\b\f\n\r\t\x00\x1f\x7f é\U0001f600')
)
NUMBERS = st.integers() | st.sampled_from([2**53 - 1, 2**53, -(2**53) + 1, -(2**53)]) | st.floats()
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


def outcome(make: object, value: object) -> bytes | str:
    """Return the bytes, or a word for the refusal."""
    try:
        return bytes(make(value))  # type: ignore[operator]
    except ValueError:
        return "refused"


@given(st.dictionaries(TEXTS, VALUES, max_size=5) | st.lists(VALUES, max_size=5))
@example({"b": 1, "a": [True, None, -0], "\x7f": "\u2028"})
@example({"\ufb33": 1, "\U0001f600": 2})
@example({"lone surrogate": "\ud800"})
@example([-0.0, 1e21, float("nan")])
def test_the_bytes_are_those_of_the_library(value: JsonObject) -> None:
    assert outcome(canonical, value) == outcome(rfc8785.dumps, value)


class Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize("value", [{"colour": Colour.RED}, {"a": (1, "b")}, {Colour.RED: 1}])
def test_other_types_than_those_of_json_are_left_to_the_library(value: JsonObject) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_a_document_of_plain_values_does_not_reach_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "rfc8785", None)
    document = {"name": "山田", "seq": 7, "prev": None, "list": [{"b": True, "a": ""}]}
    assert json.loads(canonical(document)) == document
