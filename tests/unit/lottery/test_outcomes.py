"""Each entry gets one outcome per class asked for; only winners get passes."""

from pathlib import Path

import pytest

from services.lottery.allocation.allocator import allocate
from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.draw.rules.entry import Entry as StoredEntry
from services.lottery.keys import LotteryKeys
from services.lottery.record.manifest import EntryCounts, Freeze, Manifest, Override, draw_id, write_manifest
from services.lottery.record.passes import Pass, read_pass, write_pass
from services.lottery.results.rules.outcomes import Outcomes
from services.lottery.rules import Rules
from shared.errors import ConfigurationError
from shared.ids import CampaignId, ClassId, Receipt, application_id_bytes, new_application_id, new_token
from shared.signing import SigningKey
from tests.support.draw_builders import DAY, class_rule, sample_campaign, sample_transcript
from tests.support.service_keys import keys_dir

KEY = bytes(32)


def accepted_entry(choices: tuple[tuple[str, int], ...], refused: tuple[str, ...] = ()) -> StoredEntry:
    """Return an accepted entry with an id of its own."""
    return StoredEntry(
        application_id=new_application_id(),
        campaign=CampaignId("c"),
        state="accepted",
        channel="web",
        revision=1,
        receipt=Receipt("W-7K3M-9Q2P-6"),
        token=new_token(),
        choices=tuple((ClassId(name), seats) for name, seats in choices),
        refused=tuple((ClassId(name), "grade") for name in refused),
    )


def test_an_entry_gets_one_outcome_per_class_and_winners_get_passes():
    choices = (("a", 1), ("b", 2))
    stored = sorted((accepted_entry(choices, ("c",)) for _ in range(30)), key=lambda entry: entry.application_id)
    entries = [Entry.of(entry.application_id, choices) for entry in stored]
    classes = [class_rule("a", 5, hour=9), class_rule("b", 6, hour=12)]
    signing, name = SigningKey.generate(), CampaignId("c")

    def passes(entry: bytes, class_id: ClassId, seats: int) -> str:
        return write_pass(signing, name, Pass(entry, ord(class_id), seats, DAY, DAY))

    code = "0000-0000-0000-0000"
    allocation = allocate(KEY, FrozenList.of(entries), classes, Rules(1, preferences=True))
    results = Outcomes(allocation, lambda _: code, passes).results(0, stored)
    assert {each.application_id for each in results} == {entry.application_id for entry in stored}
    for each in results:
        assert [outcome.class_id for outcome in each.outcomes] == ["a", "b", "c"]
        assert each.outcomes[2].outcome == "refused"
        shown = [read_pass(signing.public, name, given.code) for given in each.passes]
        places = [outcome for outcome in each.outcomes if outcome.outcome == "won"]
        assert [(chr(of.number), of.seats) for of in shown] == [(won.class_id, won.seats) for won in places]
        assert {of.entry for of in shown} <= {application_id_bytes(each.application_id)}
        may_come = any(outcome.outcome in {"won", "waiting"} for outcome in each.outcomes)
        assert each.pass_code == (code if may_come else None)
    won = [outcome for each in results for outcome in each.outcomes if outcome.outcome == "won"]
    assert sum(outcome.seats for outcome in won) == 11
    positions = sorted(
        o.position or 0 for each in results for o in each.outcomes if o.outcome == "waiting" and o.class_id == "a"
    )
    assert positions == [1, 2, 3]


def test_pass_codes_are_stable_different_and_gone_after_erasure(tmp_path: Path):
    campaign, draw = CampaignId("c"), draw_id(CampaignId("c"), 1)
    keys = LotteryKeys(tmp_path, keys_dir())
    one, other = new_application_id(), new_application_id()
    code = keys.pass_code(campaign, draw, one)
    assert LotteryKeys(tmp_path, keys_dir()).pass_code(campaign, draw, one) == code
    assert keys.pass_code(campaign, draw, other) != code
    assert keys.pass_code(CampaignId("d"), draw, one) != code
    keys.forget(campaign)
    assert not keys.has_pass_key(campaign)
    assert keys.pass_code(campaign, draw, one) != code


def test_pass_keys_are_for_their_owner_only(tmp_path: Path):
    LotteryKeys(tmp_path, keys_dir()).pass_code(CampaignId("c"), draw_id(CampaignId("c"), 1), new_application_id())
    assert (tmp_path / "pass-keys" / "c.key").stat().st_mode & 0o077 == 0


def test_the_lottery_does_not_start_without_a_signing_key_from_set_up(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="lottery-signing"):
        LotteryKeys(tmp_path, tmp_path)


def test_a_manifest_reads_back_as_it_was_written():
    manifest = Manifest.read(sample_transcript(10)["manifest"])
    assert (manifest.draw, manifest.rows, manifest.dice_digits, manifest.witnesses) == ("777-days-1", 10, 40, 2)
    assert [each.capacity for each in manifest.classes] == [75, 100, 100, 10, 30, 50, 380]


def test_an_override_stands_in_the_public_line():
    override = Override(3, 0, "recount agreed", "a", "b")
    line = write_manifest(sample_campaign(), FrozenList.of([]), EntryCounts({}, {}), Freeze(DAY, override))
    assert '"override":{"actor":"a","approved_by":"b","held":3,"reason":"recount agreed","undecided":0}' in line
