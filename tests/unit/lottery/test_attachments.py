"""Attachments are checked with the transcript: the corrected draw, evidence of the dice, a receipt, a proof."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from deploy.cli.commands import app
from deploy.cli.trace_entry import find_entry
from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.record.inclusion import Leaf, format_proof
from services.lottery.record.manifest import receipts_of
from services.lottery.record.rows import LEAF_ROWS, leaf_hashes, read_leaf
from services.lottery.record.transcript import ROWS_FILE
from shared.campaign import load_campaign
from shared.canonical import canonical
from shared.codes import EntryId, entry_number
from shared.merkle import path
from shared.receipt_documents import roll_line, write_receipt_document, write_roll
from shared.signing import SigningKey
from tests.support.applicants import Applicant, new_applicant
from tests.support.draw_builders import DAY, sample_campaign, sample_entries, sample_transcript, transcript_of
from tests.support.vault_parts import SAMPLE

SIGNING = SigningKey.generate()
FIRST = sample_transcript(300, SIGNING)
PHOTO = b"forty dice on a table"


def rewritten(content: dict[str, Any], **changed: Any) -> dict[str, Any]:
    unsigned = {name: value for name, value in content.items() if name != "signature_of_result"} | changed
    unsigned["signature"] = SIGNING.sign(unsigned["manifest"].encode())
    return {**unsigned, "signature_of_result": SIGNING.sign(canonical(unsigned))}


def correcting(first: dict[str, Any]) -> dict[str, Any]:
    """Return the transcript of a second draw; its result does not matter here."""
    digest = hashlib.sha256(first["manifest"].encode()).hexdigest()
    previous = {"draw": "777-days-1", "manifest_sha256": digest, "reason": "a die fell", "actor": "a"}
    manifest = {**json.loads(first["manifest"]), "previous": {**previous, "approved_by": "b"}, "draw": "777-days-2"}
    return rewritten(first, manifest=canonical(manifest).decode())


def laid(folder: Path, name: str, content: Any) -> str:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(file)


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["verify", *arguments])


def checks(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(asked(*arguments, "--json").stdout)["checks"]
    return found


def verdict(name: str, *arguments: str) -> bool:
    [found] = [check["passed"] for check in checks(*arguments) if check["name"] == name]
    return bool(found)


def test_the_draw_that_was_given_up_is_the_one_that_is_named(tmp_path: Path):
    second = laid(tmp_path, "second.json", correcting(FIRST))
    first = laid(tmp_path, "first.json", FIRST)
    only_its_manifest = {name: FIRST[name] for name in ("v", "manifest", "signature", "signing_key")}
    other = laid(tmp_path, "other.json", sample_transcript(200, SIGNING))
    forged = laid(tmp_path, "forged.json", {**FIRST, "signature": SigningKey.generate().sign(b"x")})
    name = "previous draw"
    assert verdict(name, second, "--previous", first)
    assert verdict(name, second, "--previous", laid(tmp_path, "manifest.json", only_its_manifest))
    assert not verdict(name, second, "--previous", other)
    assert not verdict(name, second, "--previous", forged)
    assert not verdict(name, second, "--previous", laid(tmp_path, "x", b"\xff"))
    assert not verdict(name, first, "--previous", second)


def test_a_photograph_of_the_dice_is_the_one_that_was_named_before_all(tmp_path: Path):
    named = rewritten(FIRST, dice_evidence=[f"sha256:{hashlib.sha256(PHOTO).hexdigest()}"])
    file, photo = laid(tmp_path, "t.json", named), laid(tmp_path, "photo.jpg", PHOTO)
    assert asked(file, "--evidence", photo).exit_code == 0
    shown = asked(file, "--evidence", photo, "--evidence", laid(tmp_path, "other.jpg", PHOTO + b"."))
    assert shown.exit_code == 1
    assert "does not stand in the transcript" in shown.stdout.replace("\n", " ")


@pytest.fixture(scope="module")
def people() -> list[Applicant]:
    campaign = sample_campaign().id
    return [new_applicant(campaign) for _ in range(40)]


@pytest.fixture(scope="module")
def of_people(people: list[Applicant]) -> dict[str, Any]:
    entries = [Entry(bytes.fromhex(applicant.entry), (("escort-kids", 1),)) for applicant in people]
    return transcript_of(sample_campaign(), entries, SIGNING)


def test_an_entry_number_in_any_spelling_leads_to_its_entry(
    tmp_path: Path, people: list[Applicant], of_people: dict[str, Any]
):
    file = laid(tmp_path, "t.json", of_people)
    for applicant in people[:2]:
        spoken = entry_number(applicant.entry).lower().replace("-", " ")
        path_shown = json.loads(asked(file, "--entry", spoken, "--json").stdout)["path"]
        assert path_shown["entry"] == applicant.entry
        assert path_shown["endings"][0]["class_id"] == "escort-kids"


def test_a_number_that_leads_nowhere_says_so(tmp_path: Path, of_people: dict[str, Any]):
    file, stranger = laid(tmp_path, "t.json", of_people), new_applicant(sample_campaign().id)
    shown = asked(file, "--entry", entry_number(stranger.entry))
    assert (shown.exit_code, "no entry of this list" in shown.output) == (2, True)
    for text in (stranger.receipt, "E-0000-0000-1"):
        assert asked(file, "--entry", text).exit_code == 2


def test_two_entries_with_one_number_are_both_named() -> None:
    ids = [bytes.fromhex(f"0123456789{last:022x}") for last in (1, 2)]
    number = entry_number(EntryId(ids[0].hex()))
    with pytest.raises(typer.BadParameter, match="2 entries have the number"):
        find_entry(number, ids)


RECEIPT_SIGNING = SigningKey.generate()


def receipt_of(applicant: Applicant, version: int = 1) -> dict[str, Any]:
    return dict(
        write_receipt_document(
            RECEIPT_SIGNING,
            campaign=applicant.campaign,
            receipt=applicant.receipt,
            application_id=applicant.application_id,
            version=version,
            sealed_sha256="0" * 64,
            received_at=DAY,
        )
    )


def with_roll(content: dict[str, Any], roll: str) -> dict[str, Any]:
    """Return the transcript of a draw whose manifest commits to this roll."""
    manifest = json.loads(content["manifest"]) | {"receipts": vars(receipts_of(roll))}
    return rewritten(content, manifest=canonical(manifest).decode())


def test_a_receipt_that_was_counted_stands_in_the_roll_and_leads_to_its_entry(
    tmp_path: Path, people: list[Applicant], of_people: dict[str, Any]
):
    documents = [receipt_of(applicant) for applicant in people]
    roll = write_roll(map(roll_line, documents))
    file = laid(tmp_path, "t.json", with_roll(of_people, roll))
    beside = ("--roll", laid(tmp_path, "roll.txt", roll.encode()))
    own = laid(tmp_path, "own.json", documents[3])
    shown = {check["name"]: check["passed"] for check in checks(file, *beside, "--receipt", own)}
    assert shown["root of the roll"]
    assert shown["receipt in the roll"]
    assert not verdict("root of the roll", file, "--roll", laid(tmp_path, "bent.txt", roll[65:].encode()))
    other = ("--receipt", own, "--intake-key", SigningKey.generate().public)
    assert not verdict("signature of the receipt", file, *beside, *other)
    assert asked(file, "--receipt", own).exit_code == 2, "a receipt is looked up in a roll"


def test_a_correction_that_intake_dropped_after_the_receipt_is_not_in_the_roll(
    tmp_path: Path, people: list[Applicant], of_people: dict[str, Any]
):
    """Let a compromised intake confirm version 2 with a receipt document and put version 1 into the roll."""
    roll = write_roll(roll_line(receipt_of(applicant)) for applicant in people)
    file = laid(tmp_path, "t.json", with_roll(of_people, roll))
    beside = ("--roll", laid(tmp_path, "roll.txt", roll.encode()))
    kept = laid(tmp_path, "kept.json", receipt_of(people[0], version=2))
    key = ("--intake-key", RECEIPT_SIGNING.public)
    assert verdict("signature of the receipt", file, *beside, "--receipt", kept, *key)
    assert not verdict("receipt in the roll", file, *beside, "--receipt", kept, *key)
    dropped = laid(tmp_path, "dropped.json", receipt_of(new_applicant(sample_campaign().id)))
    assert not verdict("receipt in the roll", file, *beside, "--receipt", dropped, *key)


def test_a_proof_leads_to_its_entry_and_must_be_of_this_list(tmp_path: Path):
    file = laid(tmp_path, "t.json", FIRST)
    frozen = FrozenList.of(sorted(sample_entries(300), key=lambda each: each.id))
    at = 7
    leaf = Leaf(read_leaf(frozen, at // LEAF_ROWS).decode(), 0, tuple(path(leaf_hashes(frozen), 0)))
    proof = format_proof("777-days-1", frozen.id(at), 1, [leaf])
    shown = json.loads(asked(file, "--proof", laid(tmp_path, "p.json", proof), "--json").stdout)
    assert shown["passed"]
    assert shown["path"]["entry"] == frozen.id(at).hex()
    leaf_changed = {**proof, "leaves": [{**proof["leaves"][0], "rows": leaf.rows.replace(":1", ":2", 1)}]}
    assert asked(file, "--proof", laid(tmp_path, "bad.json", leaf_changed)).exit_code == 1
    for broken in (b"[]", b"{", b"\xff"):
        assert asked(file, "--proof", laid(tmp_path, "broken.json", broken)).exit_code == 1


@pytest.mark.parametrize("broken", [b"[]", b"\xff", b"null", b'{"manifest":"{}"}'])
def test_what_is_no_transcript_fails_in_words_whatever_lies_beside_it(tmp_path: Path, broken: bytes):
    file, beside = laid(tmp_path, "t.json", broken), laid(tmp_path, "b.json", FIRST)
    shown = asked(file, "--proof", beside, "--previous", beside, "--evidence", beside, "--entry", "00" * 16)
    assert (shown.exit_code, type(shown.exception)) == (1, SystemExit)
    assert "does not hold" in shown.stdout


def test_rows_that_are_not_there_are_asked_for(tmp_path: Path):
    shown = asked(laid(tmp_path, "t.json", rewritten(FIRST, rows=ROWS_FILE)))
    assert shown.exit_code == 1
    assert ROWS_FILE in shown.stdout


def test_the_rules_of_a_draw_are_compared_with_its_campaign_file(tmp_path: Path):
    campaign = load_campaign(SAMPLE)
    content = transcript_of(campaign, [], SIGNING)
    file, own = laid(tmp_path, "transcript.json", content), ("--campaign", str(SAMPLE))
    assert (verdict("campaign file", file, *own), verdict("rules of the campaign", file, *own)) == (True, True)
    manifest = json.loads(content["manifest"])
    manifest["rules"]["further_round"] = "everybody"
    bent = laid(tmp_path, "bent.json", rewritten(content, manifest=canonical(manifest).decode()))
    assert (verdict("campaign file", bent, *own), verdict("rules of the campaign", bent, *own)) == (True, False)
    other = laid(tmp_path, "other.yaml", SAMPLE.read_bytes() + b"# one more line\n")
    assert not verdict("campaign file", file, "--campaign", other)
    assert not verdict("campaign file", file, "--campaign", laid(tmp_path, "no.yaml", b"nothing"))
