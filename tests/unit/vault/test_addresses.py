"""Test the table of addresses: barcode, address key, filled-in town and residency."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.applications.rules.normalise import address_key, display_address
from services.vault.applications.rules.residency import residence
from services.vault.printroom.rules.address_numbers import after_town, extract
from shared.campaign.model import Residency
from shared.postal_codes import PostalCodes

TABLE: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "cases" / "addresses.json").read_text("utf-8")
)
CODES = PostalCodes()
BLANK_SEPARATED = st.lists(st.integers(1, 9999), min_size=2, max_size=5)


def why(case: dict[str, Any]) -> str:
    return str(case["why"])


@pytest.mark.parametrize("case", TABLE["barcode"], ids=why)
def test_the_barcode_keeps_the_numbers_of_an_address_apart(case: dict[str, Any]):
    code = CODES.find(case["postal_code"])
    address = display_address(case["address"])
    assert extract(after_town(address, code.city, code.town_names)) == case["numbers"]


@pytest.mark.parametrize("case", TABLE["keys"], ids=why)
def test_two_writings_have_one_key_only_if_they_hold_the_same_numbers(case: dict[str, Any]):
    keys = {address_key(case["a"]), address_key(case["b"])}
    assert len(keys) == (1 if case["same"] else 2)


@pytest.mark.parametrize("case", TABLE["towns"], ids=why)
def test_a_note_of_the_postal_table_is_no_town(case: dict[str, Any]):
    towns = CODES.find(case["postal_code"]).towns
    assert [town.prefecture + town.municipality + town.town for town in towns] == case["towns"]


@pytest.mark.parametrize("case", TABLE["residency"], ids=why)
def test_residency_follows_the_table(case: dict[str, Any]):
    prefecture, ward = re.split(r"(?<=[都県])", case["home"], maxsplit=1)
    rule = Residency(prefecture=prefecture, ward=ward)
    assert residence(case["address"], case["postal_code"], rule, CODES.municipalities).value == case["verdict"]


@given(BLANK_SEPARATED)
def test_numbers_with_blanks_between_them_stay_as_many_in_barcode_and_key(numbers: list[int]):
    written = [str(number) for number in numbers]
    assert extract(" ".join(written)) == "-".join(written)
    assert address_key("西新宿" + " ".join(written)) == address_key("西新宿" + "-".join(written))
