"""The two address fields of the form: numbers and words on both sides of the border stay apart."""

import json
import re
import unicodedata
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.vault.applications.rules import normalise
from tests.support.node_programs import Ask

CASES: list[tuple[str, str, str]] = json.loads(
    (Path(__file__).resolve().parents[2] / "cases" / "address_seams.json").read_text("utf-8")
)
NUMBER = re.compile(r"\d+|[〇一二三四五六七八九十]+")
PARTS = st.text(st.sampled_from("西新宿町丁目番号のハツーABab0123456789０１２①Ⅱ№〇一二十 　-－ー‐−.,"), max_size=12)


def numbers(text: str) -> list[str]:
    """Return the numbers that a comparison of addresses sees."""
    return NUMBER.findall(unicodedata.normalize("NFKC", text))


def test_the_form_joins_town_and_street_as_the_table_says(ask: Ask):
    assert ask("join", [case[:2] for case in CASES]) == [address for _, _, address in CASES]


def test_the_vault_leaves_a_joined_address_as_it_is():
    for _, _, address in CASES:
        assert normalise.display_address(address) == address


@given(st.lists(st.tuples(PARTS, PARTS), min_size=100, max_size=200))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_two_numbers_become_one_where_the_fields_meet(ask: Ask, fields: list[tuple[str, str]]):
    for (town, street), address in zip(fields, ask("join", fields), strict=True):
        assert numbers(address) == numbers(town) + numbers(street)
