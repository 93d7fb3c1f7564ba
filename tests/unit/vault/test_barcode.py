"""Test Japan Post's customer barcode against the worked examples of its manual and `docs/protocols.md` §4."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.vault.printroom.rules import barcode

POSTAL_CODES = st.text("0123456789", min_size=7, max_size=7)
NUMBERS = st.text("0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=30)
KASUMIGASEKI = "FDFFTFTTFTTFTTFTTFFTDFAFFTTFTDFATFTFDATFTFTFFTTDFATDATDATDATDATFFDF"


@pytest.mark.parametrize(
    ("postal_code", "numbers", "check"),
    [
        ("1000013", "1-3-2-503", 9),
        ("1000014", "1-11-32", 15),
        ("2630023", "3-30-8-403", 5),
        ("0140113", "60-1", 18),
    ],
)
def test_the_check_of_the_worked_examples(postal_code: str, numbers: str, check: int) -> None:
    assert barcode.check(barcode.values(postal_code, numbers)) == check


def bars_by_zint(postal_code: str, numbers: str) -> str:
    """Return the bars as Debian's `zint` draws them: type 76 is Japan Post's, `--dump` gives three rows of modules."""
    command = ["zint", "--barcode=76", "--dump", f"--data={postal_code}{numbers}"]
    dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [bin(int("1" + row.replace(" ", ""), 16))[3:] for row in dump.splitlines()]
    bars = {"111": "F", "110": "A", "011": "D", "010": "T"}
    modules = ["".join(column) for column in zip(*rows, strict=True)]
    return "".join(bars[column] for column in modules[:133:2])


@given(POSTAL_CODES, NUMBERS)
@settings(max_examples=50, deadline=None)
def test_an_independent_program_draws_the_same_bars(postal_code: str, numbers: str) -> None:
    if shutil.which("zint") is None:
        pytest.fail("install the Debian package zint: it is the independent program")
    fitting = numbers
    while sum(2 if character.isalpha() else 1 for character in fitting) > 13:
        fitting = fitting[:-1]
    assert barcode.bars(postal_code, fitting) == bars_by_zint(postal_code, fitting)


def test_the_whole_bar_string_of_the_worked_example() -> None:
    assert barcode.bars("1000013", "1-3-2-503") == KASUMIGASEKI


def test_an_address_short_of_thirteen_is_filled_up_with_cc4() -> None:
    assert barcode.values("1000013", "1-3-2-503")[7:] == (1, 10, 3, 10, 2, 10, 5, 0, 3, 14, 14, 14, 14)


def test_an_office_code_stands_alone() -> None:
    assert barcode.values("1008792", "") == (1, 0, 0, 8, 7, 9, 2, *[barcode.CC4] * 13)


def test_an_address_over_thirteen_is_cut() -> None:
    assert barcode.values("0640804", "29-1524-23-2-501")[7:] == (2, 9, 10, 1, 5, 2, 4, 10, 2, 3, 10, 2, 10)


def test_a_letter_whose_control_code_stands_thirteenth_keeps_that_code_alone() -> None:
    assert barcode.values("9100067", "3-80-25J1-2B")[7:] == (3, 10, 8, 0, 10, 2, 5, 11, 9, 1, 10, 2, barcode.CC1)


@pytest.mark.parametrize(("postal_code", "numbers"), [("100001", "1"), ("100001三", "1"), ("1000013", "1丁目")])
def test_what_bars_cannot_say_is_refused_without_repeating_it(postal_code: str, numbers: str) -> None:
    with pytest.raises(ValueError, match=r"postal code|only digits") as refused:
        barcode.bars(postal_code, numbers)
    assert postal_code not in str(refused.value)
    assert numbers not in str(refused.value).split()


@given(POSTAL_CODES, NUMBERS)
def test_every_barcode_has_67_bars_between_start_and_stop(postal_code: str, numbers: str) -> None:
    assert re.fullmatch(r"FD[FADT]{63}DF", barcode.bars(postal_code, numbers))


@given(POSTAL_CODES, NUMBERS)
def test_values_and_check_sum_to_a_multiple_of_19(postal_code: str, numbers: str) -> None:
    values = barcode.values(postal_code, numbers)
    assert len(values) == 20
    assert (sum(values) + barcode.check(values)) % 19 == 0


@given(POSTAL_CODES, st.text("0123456789-", max_size=13), POSTAL_CODES, st.text("0123456789-", max_size=13))
def test_different_addresses_have_different_bars(one: str, here: str, other: str, there: str) -> None:
    assert (barcode.bars(one, here) == barcode.bars(other, there)) == ((one, here) == (other, there))
