"""Four readings of `docs/spec/draw-2.md` give the results of its vectors.

They are the lottery's allocator, the reference allocator of `./kuji verify`, the verifier of the page, and a shell
script that knows the specification only.
"""

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from services.lottery.allocation.choice_order import shuffle_choices
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.reference_allocator import ReferenceAllocation, allocate_entry_by_entry
from services.lottery.allocation.tickets import tickets
from services.lottery.promotion.replay import replay_history
from services.lottery.promotion.waiting_list import InvalidMoveError, WaitingLists
from services.lottery.randomness.sources import BeaconRound, Randomness, check_beacon, draw_key
from services.lottery.record.manifest import Manifest
from services.lottery.record.rows import compute_root, read_rows
from services.lottery.record.taken_over import held_classes, read_places
from services.lottery.record.transcript import is_hash_chain
from services.lottery.verification.further_checks import check_continued, taken_over_checks
from shared.campaign import quicknet
from shared.campaign.beacon_schedule import REHEARSAL
from shared.canonical import canonical
from shared.dice_acts import DiceRule, InvalidDiceActsError, read_dice
from shared.signing import verify_in_context
from tests.support.draw_builders import allocated, sample_transcript
from tests.support.node_programs import Ask

_PROVES_NOTHING: Final = "note the chance of this draw proves nothing"

Vector = Mapping[str, Any]

_ROOT: Final = Path(__file__).resolve().parents[3]
_VECTORS: Final = _ROOT / "docs/spec/vectors"
_BY_HAND: Final = _ROOT / "tests/support/draw_by_hand.sh"


def load(name: str) -> dict[str, Any]:
    return dict(json.loads((_VECTORS / f"{name}.json").read_text("utf-8")))


def _draws() -> dict[str, Vector]:
    """Return all vectors with a manifest, and the draws that they correct."""
    vectors = {path.stem: load(path.stem) for path in sorted(_VECTORS.glob("*.json"))}
    before = {f"{name}, before": vector["previous"] for name, vector in vectors.items() if "previous" in vector}
    return {name: vector for name, vector in {**vectors, **before}.items() if "manifest" in vector}


DRAWS: Final = _draws()
each_draw = pytest.mark.parametrize("vector", DRAWS.values(), ids=DRAWS)


class Draw:
    """Inputs of a vector, as the programs read them."""

    def __init__(self, vector: Vector) -> None:
        self.line = canonical(vector["manifest"]).decode()
        self.rows = "".join(f"{row}\n" for row in vector["rows"])
        self.entries = read_rows(self.rows)
        self.manifest = Manifest.read(self.line)
        self.key = draw_key(self.line, Randomness(vector["dice"], vector["beacon_signature"]))
        self.places = taken_over(vector)
        listed = {entry.id for entry in self.entries}
        held = held_classes(read_places(self.places or ""))
        self.held = {entry: names for entry, names in held.items() if entry in listed}

    def result(self, allocation: ReferenceAllocation) -> dict[str, Any]:
        """Return the result in the form of `expected`."""
        return {
            "manifest_sha256": hashlib.sha256(self.line.encode()).hexdigest(),
            "root": compute_root(self.rows),
            "key": self.key.hex(),
            "order": [f"{tickets(self.key, entry).hex()} {entry.hex()}" for entry in allocation.order],
            "winners": {name: [entry.hex() for entry in ids] for name, ids in allocation.winners.items()},
            "waiting": {name: [entry.hex() for entry in ids] for name, ids in allocation.waiting.items()},
            "lost": {entry.hex(): dict(reasons) for entry, reasons in allocation.lost.items()},
        }


def taken_over(vector: Vector) -> str | None:
    """Return the text of the places that a further round took over; None for any other draw."""
    return "".join(f"{line}\n" for line in vector["taken_over"]) if "taken_over" in vector else None


def expected(vector: Vector) -> dict[str, Any]:
    return {name: value for name, value in vector["expected"].items() if name != "choice_order"}


@each_draw
def test_manifest_of_a_vector_has_the_members_that_the_lottery_writes(vector: Vector):
    written = json.loads(sample_transcript(3)["manifest"])
    manifest = vector["manifest"]
    assert manifest.keys() - {"further"} == written.keys()
    assert manifest["rules"].keys() == written["rules"].keys()
    assert manifest["vault_key"] == vector.get("vault_key")


@each_draw
def test_allocator_and_reference_allocator_give_the_result_of_a_vector(vector: Vector):
    draw = Draw(vector)
    rules = draw.manifest.drawn_classes, draw.manifest.rules
    assert draw.result(allocate_entry_by_entry(draw.key, draw.entries, *rules, held=draw.held)) == expected(vector)
    assert draw.result(allocated(draw.key, draw.entries, *rules, draw.held)) == expected(vector)


def test_page_gives_the_results_of_all_vectors(verifier: Ask):
    questions = [
        {
            "line": canonical(vector["manifest"]).decode(),
            "rows": "".join(f"{row}\n" for row in vector["rows"]),
            "dice": vector["dice"],
            "signature": vector["beacon_signature"],
            "places": taken_over(vector),
            "histories": _histories(vector),
        }
        for vector in DRAWS.values()
    ]
    for vector, answer in zip(DRAWS.values(), verifier("draws", questions), strict=True):
        wanted = {name: vector["expected"][name] for name in ("key", "root", "order", "winners", "waiting")}
        assert {name: answer[name] for name in wanted} == wanted
        places = [rows and sorted(rows, key=lambda row: row[:2]) for rows in answer["places"]]
        if "places" in vector:
            assert places == [_places(vector), *[None for _ in vector["refused"]]]


@each_draw
def test_shell_gives_the_result_of_a_vector(vector: Vector, tmp_path: Path):
    draw = Draw(vector)
    (tmp_path / "manifest").write_text(draw.line)
    (tmp_path / "rows").write_text(draw.rows)
    (tmp_path / "places").write_text(draw.places or "")
    arguments = ["manifest", "rows", vector["dice"] or "", vector["beacon_signature"], "places"]
    finished = subprocess.run(
        ["bash", _BY_HAND, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60
    )
    note = [_PROVES_NOTHING] if vector["manifest"]["beacon"]["chain"] == REHEARSAL else []
    assert sorted(finished.stdout.splitlines()) == sorted([*note, *_lines(vector["expected"])])
    for kind in ("order ", "winner a", "winner b", "waiting a", "waiting b"):
        assert _of_kind(finished.stdout.splitlines(), kind) == _of_kind(_lines(vector["expected"]), kind)


def _of_kind(lines: Sequence[str], kind: str) -> list[str]:
    return [line for line in lines if line.startswith(kind)]


def _lines(result: Vector) -> list[str]:
    """Return a result as the shell script writes it."""
    return [
        f"key {result['key']}",
        *(f"order {line}" for line in result["order"]),
        *(f"winner {name} {entry}" for name, ids in result["winners"].items() for entry in ids),
        *(f"waiting {name} {entry}" for name, ids in result["waiting"].items() for entry in ids),
        *(f"lost {name} {entry} {why}" for entry, lost in result["lost"].items() for name, why in lost.items()),
    ]


def test_key_orders_the_choices_of_a_draw_without_preferences():
    vector = load("no-preferences")
    draw = Draw(vector)
    frozen = FrozenList.of(draw.entries)
    orders, numbers = shuffle_choices(draw.key, bytes(frozen.ids), frozen.lists, frozen.table)
    ordered = [[name for name, _ in orders[number]] for number in numbers]
    found = {entry.id.hex(): names for entry, names in zip(draw.entries, ordered, strict=True)}
    assert found == vector["expected"]["choice_order"]


@pytest.mark.parametrize("name", ["promotion", "correction"])
def test_history_of_a_vector_leads_to_its_places_and_altered_ones_are_refused(name: str):
    vector = load(name)
    replayed = _replay(vector, vector["history"])
    found = [[class_id, entry, place.state, place.position] for (entry, class_id), place in replayed.places.items()]
    assert sorted(found, key=lambda row: row[:2]) == _places(vector)
    for refused in vector["refused"]:
        assert is_hash_chain(refused["history"])
        with pytest.raises(InvalidMoveError):
            _replay(vector, refused["history"])


def _replay(vector: Vector, history: Sequence[Mapping[str, Any]]) -> WaitingLists:
    draw = Draw(vector)
    content = {**vector["expected"], "history": history}
    return replay_history(content, draw.manifest, draw.entries, draw.key)


def _histories(vector: Vector) -> list[Any]:
    if "places" not in vector:
        return []
    return [vector["history"], *[refused["history"] for refused in vector["refused"]]]


def _places(vector: Vector) -> list[list[Any]]:
    places = [[name, *place] for name, of_class in vector["places"].items() for place in of_class]
    return sorted(places, key=lambda row: row[:2])


def test_second_draw_of_a_vector_names_the_manifest_of_the_first_and_has_a_later_round():
    vector = load("redraw")
    first, second = vector["previous"]["manifest"], vector["manifest"]
    assert second["previous"]["manifest_sha256"] == vector["previous"]["expected"]["manifest_sha256"]
    assert second["beacon"]["round"] > first["beacon"]["round"]


def test_further_round_of_a_vector_begins_with_the_places_and_entries_that_the_first_draw_left():
    vector = load("further-round")
    contents = [
        {
            **one["expected"],
            "manifest": canonical(one["manifest"]).decode(),
            "rows": Draw(one).rows,
            "places": taken_over(one),
            "history": one.get("history", ()),
        }
        for one in (vector["previous"], vector)
    ]
    rows = {one["manifest"]["draw"]: Draw(one).rows for one in (vector["previous"], vector)}
    assert check_continued(contents[1], contents[:1], rows).passed
    draw = Draw(vector)
    own = list(taken_over_checks(draw.manifest, draw.places or "", draw.entries))
    assert [check for check in own if not check.passed] == []
    assert all(vector["expected"]["winners"]["c"])


@pytest.mark.parametrize("name", ["one-entry", "redraw, before", "rehearsal"])
def test_beacon_values_of_the_vectors_are_signatures_of_their_rounds(name: str):
    vector = DRAWS[name]
    beacon = BeaconRound(**vector["manifest"]["beacon"])
    assert check_beacon(vector["beacon_signature"], beacon) == vector["beacon_signature"]


def test_roll_of_a_vector_has_one_line_for_each_receipt_document():
    vector = load("roll")
    documents, roll = vector["receipt_documents"], vector["expected"]["roll"]
    assert all(verify_in_context(vector["intake_key"], "kuji/receipt/2", document) for document in documents)
    assert sorted(hashlib.sha256(canonical(document)).hexdigest() for document in documents) == roll
    root = compute_root("".join(f"{line}\n" for line in roll))
    assert vector["expected"]["receipts"] == {"count": len(documents), "root": root}


def test_dice_of_a_vector_are_the_digits_of_its_acts():
    vector = load("dice-acts")
    assert read_dice(vector["vault_key"], vector["dice_acts"], _dice_rule(vector)) == vector["dice"]


@pytest.mark.parametrize("refused", load("dice-acts")["refused"], ids=lambda refused: refused["why"])
def test_acts_of_a_vector_that_break_a_rule_are_refused(refused: Vector):
    vector = load("dice-acts")
    try:
        digits = read_dice(vector["vault_key"], refused["dice_acts"], _dice_rule(vector))
    except InvalidDiceActsError:
        return
    assert digits != refused["dice"]


def test_page_reads_the_acts_of_a_vector_and_refuses_those_that_break_a_rule(verifier: Ask):
    vector = load("dice-acts")
    cases = [{"acts": one["dice_acts"], "dice": one["dice"]} for one in (vector, *vector["refused"])]
    question = {"line": canonical(vector["manifest"]).decode(), "vault": vector["vault_key"], "cases": cases}
    assert verifier("dice", question) == [True, *[False for _ in vector["refused"]]]


def _dice_rule(vector: Vector) -> DiceRule:
    manifest = vector["manifest"]
    return DiceRule(
        campaign=manifest["campaign"],
        draw=manifest["draw"],
        manifest_sha256=vector["expected"]["manifest_sha256"],
        witnesses=manifest["dice"]["witnesses"],
        round_at=quicknet.time_of(manifest["beacon"]["round"]),
    )


def test_rehearsals_chain_is_refused_in_the_manifest_of_a_real_draw():
    manifest = {**load("rehearsal")["manifest"], "rehearsal": False}
    with pytest.raises(ValueError, match="no rehearsal"):
        Manifest.read(canonical(manifest).decode())
