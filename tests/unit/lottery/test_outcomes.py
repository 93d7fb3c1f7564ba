"""Each entry gets one outcome per class asked for."""

from pathlib import Path

import pytest

from services.lottery.allocation.allocator import allocate
from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.tickets import tickets
from services.lottery.draw.rules.entry import Entry as StoredEntry
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


def accepted_entry(choices: tuple[tuple[str, int], ...], refused: tuple[str, ...] = ()) -> StoredEntry:
    """Return an accepted entry with an id of its own."""
    applicant = new_applicant(CampaignId("c"))
    return StoredEntry(
        receipt=applicant.receipt,
        campaign=applicant.campaign,
        state="accepted",
        version=1,
        channel="web",
        revision=1,
        entry=applicant.entry,
        proof_sha256=applicant.digest,
        token=applicant.token,
        choices=tuple((ClassId(name), seats) for name, seats in choices),
        refused=tuple((ClassId(name), "grade") for name in refused),
    )


def drawn_results(choices: tuple[tuple[str, int], ...], classes: list[ClassRule]) -> list[Result]:
    """Return the results of 30 entries that ask for the same classes."""
    stored = sorted((accepted_entry(choices, ("c",)) for _ in range(30)), key=lambda entry: entry.entry or "")
    entries = [Entry(bytes.fromhex(entry.entry or ""), choices) for entry in stored]
    results = Outcomes(allocate(KEY, FrozenList.of(entries), classes, Rules(1, preferences=True))).results(0, stored)
    assert [result.entry for result in results] == [entry.entry for entry in stored]
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
