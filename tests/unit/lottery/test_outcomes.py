"""Each entry gets one outcome per class asked for."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lottery.allocation.allocator import allocate
from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.tickets import tickets
from services.lottery.draw.rules.entry import ListedEntry
from services.lottery.draw.rules.result import Result
from services.lottery.keys import LotteryKeys
from services.lottery.record.manifest import (
    EntryCounts,
    Freeze,
    Manifest,
    Override,
    Previous,
    receipts_of,
    write_manifest,
)
from services.lottery.results.rules.outcomes import Outcomes
from services.lottery.rules import ClassRule, Rules
from shared.errors import ConfigurationError
from shared.ids import CampaignId, ClassId
from tests.support.applicants import new_applicant
from tests.support.draw_builders import DAY, class_rule, sample_campaign, sample_transcript
from tests.support.executed_approvals import VAULT

KEY = bytes(32)


def listed_entry(refused: tuple[str, ...] = ()) -> ListedEntry:
    """Return an accepted entry with an id of its own."""
    applicant = new_applicant(CampaignId("c"))
    reasons = [(ClassId(name), "grade") for name in refused]
    return ListedEntry(applicant.entry, applicant.receipt, applicant.token, reasons)


MANY = [class_rule("a", 3, hour=9), class_rule("b", 4, hour=10), class_rule("c", 2, hour=12)]

listed = st.permutations(["a", "b", "c"]).flatmap(
    lambda names: st.lists(st.integers(1, 3), min_size=1, max_size=3).map(
        lambda seats: tuple(zip(names, seats, strict=False))
    )
)


def drawn_results(choices: tuple[tuple[str, int], ...], classes: list[ClassRule]) -> list[Result]:
    """Return the results of 30 entries that ask for the same classes."""
    listed = sorted(listed_entry(("c",)) for _ in range(30))
    entries = [Entry(bytes.fromhex(entry.entry), choices) for entry in listed]
    frozen = FrozenList.of(entries)
    outcomes = Outcomes(allocate(KEY, frozen, classes, Rules(1, preferences=True)), frozen)
    results = outcomes.results(0, listed)
    assert [result.entry for result in results] == [entry.entry for entry in listed]
    return [result.to_result() for result in results]


def test_an_entry_gets_one_outcome_per_class():
    results = drawn_results((("a", 1), ("b", 2)), [class_rule("a", 5, hour=9), class_rule("b", 6, hour=12)])
    for result in results:
        assert [outcome.class_id for outcome in result.outcomes] == ["a", "b", "c"]
        assert (result.outcomes[2].outcome, result.outcomes[2].reason) == ("refused", "grade")
    won = [outcome for result in results for outcome in result.outcomes if outcome.outcome == "won"]
    assert sum(outcome.seats for outcome in won) == 11
    positions = sorted(
        o.position or 0 for result in results for o in result.outcomes if o.outcome == "waiting" and o.class_id == "a"
    )
    assert positions == [1, 2, 3]


def test_an_outcome_names_the_rank_in_the_drawn_order():
    results = drawn_results((("a", 1),), [class_rule("a", 5, hour=9)])
    drawn = sorted(results, key=lambda result: tickets(KEY, bytes.fromhex(result.entry)))
    assert [(result.outcomes[0].rank, result.outcomes[0].of) for result in drawn] == [(at, 30) for at in range(1, 31)]
    assert [result.outcomes[0].outcome for result in drawn[:5]] == ["won"] * 5
    assert {result.outcomes[1].rank for result in results} == {None}


@given(st.lists(listed, min_size=1, max_size=14), st.builds(Rules, st.integers(1, 3), preferences=st.booleans()))
def test_rank_and_of_are_those_among_the_entries_that_asked_for_the_class(
    asked: list[tuple[tuple[str, int], ...]], rules: Rules
):
    """Compare with a count of the tickets that are lower, one entry and class at a time."""
    listed = [ListedEntry(f"{number:032x}", "W-1", "t", []) for number in range(len(asked))]
    entries = [Entry(bytes.fromhex(one.entry), choices) for one, choices in zip(listed, asked, strict=True)]
    frozen, ticket = FrozenList.of(entries), [tickets(KEY, entry.id) for entry in entries]
    results = Outcomes(allocate(KEY, frozen, MANY, rules), frozen).results(0, listed)
    for number, result in enumerate(results):
        assert [each["class_id"] for each in result.outcomes] == [name for name, _ in asked[number]]
        for each in result.outcomes:
            rivals = [at for at, choices in enumerate(asked) if each["class_id"] in dict(choices)]
            lower = [at for at in rivals if ticket[at] <= ticket[number]]
            assert (each["rank"], each["of"]) == (len(lower), len(rivals))


def test_the_lottery_does_not_start_without_a_signing_key_from_set_up(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="lottery-signing"):
        LotteryKeys(tmp_path)


def test_a_manifest_reads_back_as_it_was_written():
    manifest = Manifest.read(sample_transcript(10)["manifest"])
    assert (manifest.draw, manifest.rows, manifest.witnesses, manifest.vault_key) == ("777-days-1", 10, 2, VAULT.public)
    assert [each.capacity for each in manifest.classes] == [75, 100, 100, 10, 30, 50, 380]


def test_an_override_stands_in_the_public_line_with_roles_and_without_staff_ids():
    override = Override(3, 0, "recount agreed", "handler", "ward", staff=("yamada", "sato"))
    previous = Previous("c-1", None, "a die fell", "handler", "responsible", staff=("yamada", "sato"))
    freeze = Freeze(DAY, 7, override, 2, previous=previous)
    line = write_manifest(
        sample_campaign(), FrozenList.of([]), receipts_of(""), EntryCounts({}, {}), freeze, VAULT.public
    )
    shown = '{"actor":"handler","approved_by":"ward","held":3,"reason":"recount agreed","undecided":0}'
    assert f'"override":{shown}' in line
    assert "yamada" not in line
    assert Manifest.read(line).receipts.count == 0
