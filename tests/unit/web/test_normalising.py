"""Form and vault normalise typed text alike: one table, and generated texts."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.vault.applications.rules import normalise
from tests.support.node_programs import Ask

CASES: list[tuple[str, str, str]] = json.loads(
    (Path(__file__).resolve().parents[2] / "cases" / "normalising.json").read_text("utf-8")
)
VAULT: dict[str, Callable[[str], str]] = {
    "display": normalise.display,
    "displayAddress": normalise.display_address,
    "phone": normalise.phone,
    "postalCode": normalise.postal_code,
    "email": normalise.email,
}
VISIBLE = st.characters(exclude_categories=("Cc", "Cf", "Cs", "Cn", "Co"))
TYPED = st.text(st.one_of(VISIBLE, st.sampled_from("　 -－ー−‐0１Ａaｱﾞ〒(（+＋81@＠．.丁目番号")), max_size=40)


@pytest.mark.parametrize(("rule", "given_", "wanted"), CASES)
def test_the_vault_reads_the_table(rule: str, given_: str, wanted: str):
    assert VAULT[rule](given_) == wanted


def test_the_form_reads_the_table(ask: Ask):
    assert ask("normalise", [case[:2] for case in CASES]) == [wanted for _, _, wanted in CASES]


@given(st.lists(TYPED, min_size=100, max_size=300))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_generated_texts_are_normalised_alike(ask: Ask, typed: list[str]):
    questions = [[rule, text] for rule in VAULT for text in typed]
    assert ask("normalise", questions) == [VAULT[rule](text) for rule in VAULT for text in typed]


def test_invisible_characters_are_removed_because_the_vault_refuses_them(ask: Ask):
    pasted = "\ufeff髙﨑\u200b\u2068 花子\u2069\x00\ud800"
    assert ask("normalise", [["display", pasted]]) == ["髙﨑 花子"]


@pytest.mark.parametrize(
    ("typed", "years"),
    [("34", 34), ("３４", 34), (" 7歳", 7), ("0", 0), ("", None), ("-1", None), ("3.5", None), ("1e2", None)],
)
def test_an_age_is_a_whole_number_of_years(ask: Ask, typed: str, years: int | None):
    assert ask("normalise", [["age", typed]]) == [years]
