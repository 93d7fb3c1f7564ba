"""The page's verifier says what `./kuji verify` says: of good transcripts, of bad ones, and of one entry's path."""

import contextlib
import copy
import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from services.lottery.record.manifest import Manifest
from services.lottery.record.rows import read_rows
from services.lottery.record.transcript import ROWS_FILE, make_history_event
from services.lottery.verification.trace import trace
from services.lottery.verification.transcript_checks import derive_key, verify_transcript
from shared.campaign import Campaign, quicknet
from shared.campaign.model import Beacon, DrawRules
from shared.canonical import canonical
from shared.signing import SigningKey
from tests.support.draw_builders import DAY, entry, sample_campaign, sample_entries, sample_transcript, transcript_of
from tests.support.executed_approvals import VAULT
from tests.support.node_programs import Ask

SIGNING = SigningKey.generate()
GOOD = sample_transcript(1100, SIGNING)


def some_campaign(chance: random.Random) -> Campaign:
    """Few seats, overlaps, several wins, with and without preferences."""
    base = sample_campaign()
    classes = tuple(
        each.model_copy(update={
            "capacity": chance.randint(1, 12),
            "seats": (1,),
            "waiting": chance.randint(0, 4),
            "starts": (starts := base.classes[0].starts + timedelta(hours=chance.randint(0, 5))),
            "ends": starts + timedelta(hours=chance.randint(1, 4)),
        })
        for each in base.classes[: chance.randint(1, 7)]
    )  # fmt: skip
    rules = {**base.draw.model_dump(), "max_wins": chance.randint(1, 3), "preferences": chance.random() < 0.5}
    return base.model_copy(update={"classes": classes, "draw": DrawRules(**rules)})


def some_transcript(seed: int) -> dict[str, Any]:
    chance = random.Random(seed)  # noqa: S311  (cases, not secrets)
    campaign = some_campaign(chance)
    names = [each.id for each in campaign.classes]
    entries = [
        entry(
            chance.getrandbits(128),
            *((name, chance.choice((1, 1, 2, 3))) for name in chance.sample(names, chance.randint(1, len(names)))),
        )
        for _ in range(chance.choice((0, 1, 7, 60)))
    ]
    return transcript_of(campaign, entries, SIGNING)


def asked(verifier: Ask, contents: list[Any], entry_id: str | None = None, **more: Any) -> list[dict[str, Any]]:
    question = {"contents": contents, "rows": None, "published": None, "entry": entry_id, **more}
    answers: list[dict[str, Any]] = verifier("verify", question)
    return answers


def test_random_draws_verify_check_by_check_as_in_python(verifier: Ask):
    contents = [some_transcript(seed) for seed in range(60)]
    for content, answer in zip(contents, asked(verifier, contents), strict=True):
        ours = [[check.name, check.passed] for check in verify_transcript(content).checks]
        assert answer["checks"] == ours
        assert all(passed for _, passed in answer["checks"])


def test_paths_are_the_same_step_by_step(verifier: Ask):
    for seed in range(3, 40, 9):
        content = some_transcript(seed)
        entries = read_rows(content["rows"])
        if not entries:
            continue
        chosen = entries[seed % len(entries)]
        path = trace(derive_key(content), Manifest.read(content["manifest"]), entries, chosen.id)
        [answer] = asked(verifier, [content], chosen.id.hex())
        assert path is not None
        theirs = answer["path"]["draw"]
        assert (theirs["ticket"], theirs["place"]) == (path.ticket, path.rank)
        steps = [(a["round"], a["classId"], a["seats"], a["left"], a["outcome"]) for a in theirs["attempts"]]
        assert steps == [(a.round, a.class_id, a.seats, a.left, a.outcome) for a in path.attempts]
        endings = [(e["classId"], e["outcome"], e["place"], e["reason"]) for e in theirs["outcomes"]]
        assert endings == [(e.class_id, e.outcome, e.rank, e.reason) for e in path.outcomes]


def recount(content: dict[str, Any]) -> None:
    """Count one entry by fax too many in the manifest."""
    manifest = json.loads(content["manifest"])
    manifest["counts"]["channel"]["fax"] = 1
    content["manifest"] = canonical(manifest).decode()
    content["signature"] = SIGNING.sign(content["manifest"].encode())


def given_up(content: dict[str, Any], entry_id: str) -> dict[str, Any]:
    facts = {"entry": entry_id, "class": "escort-kids", "seats": 1}
    return make_history_event("withdrawn", DAY, content["history"][-1], "applicant", **facts)


CHEATS: dict[str, Callable[[Any], object]] = {
    "winners": lambda t: t["winners"]["escort-kids"].reverse(),
    "waiting": lambda t: t["waiting"]["escort-kids"].append(t["winners"]["escort-kids"][0]),
    "key": lambda t: t.update(dice="7" * 40),
    "dice": lambda t: t["dice_acts"].reverse(),
    "beacon": lambda t: t.update(beacon_signature="00" * 48),
    "root of the rows": lambda t: t.update(rows=t["rows"].replace(":1", ":2", 1)),
    "number of rows": lambda t: t.update(rows=t["rows"].split("\n", 1)[1]),
    "counts": recount,
    "signature of the manifest": lambda t: t.update(signature=SIGNING.sign(b"another")),
    "places after the draw": lambda t: t["history"].append(given_up(t, "00" * 16)),
    "history": lambda t: t["history"][0].update(at="2018-06-08T00:00:00+00:00"),
    "form": lambda t: t.update(rows=t["rows"] + "x\n"),
    "form ": lambda t: t.pop("dice_evidence"),
    "form  ": lambda t: t.update(v=1),
}


def cheated(check: str) -> dict[str, Any]:
    """Signed again by whoever holds the key."""
    content = copy.deepcopy(GOOD)
    CHEATS[check](content)
    unsigned = {name: value for name, value in content.items() if name != "signature_of_result"}
    return {**unsigned, "signature_of_result": SIGNING.sign(canonical(unsigned))}


def test_a_cheat_by_whoever_holds_the_key_is_noticed_as_in_python(verifier: Ask):
    contents = [cheated(check) for check in CHEATS]
    for check, content, answer in zip(CHEATS, contents, asked(verifier, contents), strict=True):
        failed = {name for name, passed in answer["checks"] if not passed}
        assert check.strip() in failed
        assert failed == {each.name for each in verify_transcript(content).checks if not each.passed}


def test_a_signature_that_is_not_ours_and_a_key_that_is_not_published_fail(verifier: Ask):
    unsigned = {**GOOD, "signature_of_result": SigningKey.generate().sign(b"")}
    [answer] = asked(verifier, [unsigned])
    assert ["signature of the result", False] in answer["checks"]
    [answer] = asked(verifier, [GOOD], published={"lottery": [SigningKey.generate().public], "vault": None})
    assert ["signing key", False] in answer["checks"]
    [answer] = asked(
        verifier, [GOOD], published={"lottery": [SigningKey.generate().public, SIGNING.public], "vault": VAULT.public}
    )
    assert all(passed for _, passed in answer["checks"])


def test_rows_may_be_a_file_of_their_own(verifier: Ask):
    unsigned = {name: value for name, value in GOOD.items() if name != "signature_of_result"} | {"rows": ROWS_FILE}
    apart = {**unsigned, "signature_of_result": SIGNING.sign(canonical(unsigned))}
    [answer] = asked(verifier, [apart], rows=GOOD["rows"])
    assert all(passed for _, passed in answer["checks"])
    [answer] = asked(verifier, [apart])
    assert answer["checks"][-1] == ["form", False]


def test_what_is_not_a_transcript_fails_and_does_not_crash(verifier: Ask):
    for answer in asked(verifier, [[], {}, None, 7, "x", {"signing_key": 1}, {**GOOD, "manifest": "{}"}]):
        assert not all(passed for _, passed in answer["checks"])


ROUND = 657413
KNOWN = "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b"


def test_the_known_beacon_values_verify_for_their_rounds_only(verifier: Ask):
    cases = [[KNOWN, ROUND], [KNOWN, ROUND + 1], ["c0" + "00" * 47, 1], ["00" * 48, 1]]
    assert verifier("beacon", cases) == [True, False, False, False]


def with_beacon(number: int, frozen_at: datetime = DAY) -> dict[str, Any]:
    base = sample_campaign()
    beacon = Beacon(chain=quicknet.CHAIN, public_key=quicknet.PUBLIC_KEY, round=number)
    campaign = base.model_copy(update={"draw": base.draw.model_copy(update={"source": "both", "beacon": beacon})})
    return transcript_of(campaign, sample_entries(5), SIGNING, beacon=(number, KNOWN), frozen_at=frozen_at)


def test_a_draw_by_dice_and_beacon_holds_only_with_the_round_that_was_named_and_not_yet_known(verifier: Ask):
    contents = [
        with_beacon(ROUND),
        with_beacon(ROUND + 1),
        with_beacon(ROUND, quicknet.time_of(ROUND)),
        with_beacon(ROUND, quicknet.time_of(ROUND) - timedelta(microseconds=1)),
    ]
    answers = asked(verifier, contents)
    failed = [[name for name, passed in answer["checks"] if not passed] for answer in answers]
    assert failed == [[], ["beacon"], ["beacon's time"], []]
    assert answers[0]["checks"] == [[each.name, each.passed] for each in verify_transcript(contents[0]).checks]


def test_no_single_bit_of_a_transcript_can_be_changed_unnoticed(verifier: Ask):
    small = sample_transcript(3, SIGNING)
    text = json.dumps(small, ensure_ascii=False).encode()
    end = text.index(small["signature_of_result"].encode()) + len(small["signature_of_result"])
    chance = random.Random(4)  # noqa: S311  (cases, not secrets)
    bits = {*chance.sample(range(8 * len(text)), 250), *range(8 * (end - 1), 8 * end)}
    contents = []
    for bit in bits:
        changed = bytearray(text)
        changed[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(ValueError):
            contents.append(json.loads(changed))
    assert len(contents) > 100
    for answer in asked(verifier, contents):
        assert not all(passed for _, passed in answer["checks"])


def test_all_entries_of_a_number_are_found_because_two_may_share_it(verifier: Ask):
    ids = ["05224b1c82" + "0" * 22, "05224b1c82" + "1" * 22, "05224b1c83" + "0" * 22]
    assert verifier("prefix", {"ids": ids, "prefix": "05224b1c82"}) == ids[:2]
    assert verifier("prefix", {"ids": ids, "prefix": ids[1]}) == [ids[1]]


def test_without_any_published_key_the_record_fails_by_the_missing_key_alone(verifier: Ask):
    """Ask an installation whose keys are all revoked: it vouches for no record, whose own signatures still hold."""
    [answer] = asked(verifier, [GOOD], published={"lottery": [], "vault": VAULT.public})
    assert [name for name, passed in answer["checks"] if not passed] == ["signing key"]
    failed = [check for check in verify_transcript(GOOD, (), VAULT.public).checks if not check.passed]
    assert [check.name for check in failed] == ["signing key"]
    assert "no key" in failed[0].text
