"""Codes, entry ids, entry numbers, proofs, receipt numbers, receipt documents and rolls follow one table of cases.

The browser's parser reads the same table (tests/cases/codes.json).
"""

import hashlib
import json
from itertools import islice
from pathlib import Path

import pytest

from shared import codes, crockford
from shared.encoding import unb64url
from shared.ids import ApplicationId, CampaignId, new_application_id
from shared.receipt_documents import is_receipt_of, roll_line, roll_root, write_roll
from shared.receipts import candidates

CASES = json.loads((Path(__file__).parents[2] / "cases" / "codes.json").read_text("utf-8"))
CAMPAIGN = CampaignId("777-days")


@pytest.mark.parametrize("case", CASES["vectors"], ids=lambda case: case["entry"])
def test_ids_and_proofs_are_those_of_the_table(case: dict[str, str | None]) -> None:
    campaign, application, code = case["campaign"], case["application_id"], case["code"]
    entry = codes.entry_id(campaign, application, code)  # type: ignore[arg-type]
    assert entry == case["entry"]
    assert (codes.entry_number(entry) if codes.has_entry_number(entry) else None) == case["entry_number"]
    assert codes.intake_proof(campaign, application, code) == case["proof_intake"]  # type: ignore[arg-type]
    assert codes.lottery_proof(campaign, entry, code) == case["proof_lottery"]  # type: ignore[arg-type]
    assert codes.proof_digest(case["proof_intake"]) == case["proof_intake_sha256"]  # type: ignore[arg-type]


def test_entry_id_is_the_hash_that_the_protocol_names() -> None:
    case = CASES["vectors"][0]
    identity = bytes.fromhex(case["application_id"].replace("-", ""))
    code = int("".join(f"{crockford.ALPHABET.index(symbol):05b}" for symbol in case["code"]), 2).to_bytes(10, "big")
    assert hashlib.sha256(b"kuji/entry/2\x00777-days\x00" + identity + code).hexdigest()[:32] == case["entry"]
    proof = hashlib.sha256(b"kuji/proof/2\x00intake\x00777-days\x00" + identity + code)
    assert proof.hexdigest() == unb64url(case["proof_intake"]).hex()


@pytest.mark.parametrize("case", CASES["right"], ids=lambda case: case["typed"])
def test_a_typed_code_is_read(case: dict[str, str]) -> None:
    assert codes.parse_code(case["typed"]) == case["code"]


@pytest.mark.parametrize("typed", CASES["wrong"])
def test_other_text_is_no_code(typed: str) -> None:
    with pytest.raises(ValueError, match="not a code"):
        codes.parse_code(typed)


@pytest.mark.parametrize("case", CASES["numbers"]["right"], ids=lambda case: case["typed"])
def test_a_typed_entry_number_is_read(case: dict[str, str]) -> None:
    assert codes.normalise_entry_number(case["typed"]) == case["entry_number"]


@pytest.mark.parametrize("typed", CASES["numbers"]["wrong"])
def test_other_text_is_no_entry_number(typed: str) -> None:
    with pytest.raises(ValueError, match="not an entry number"):
        codes.normalise_entry_number(typed)


def test_a_new_code_always_has_an_entry_number_that_leads_to_its_entry() -> None:
    for _ in range(300):
        application = new_application_id()
        code = codes.new_code(CAMPAIGN, application)
        entry = codes.entry_id(CAMPAIGN, application, code)
        assert entry.startswith(codes.entry_prefix(codes.entry_number(entry)))
        assert codes.parse_code(codes.format_code(code)) == code


@pytest.mark.parametrize("case", CASES["receipts"], ids=lambda case: case["receipts"][0])
def test_receipt_numbers_are_those_of_the_table(case: dict[str, str]) -> None:
    key, application = bytes.fromhex(case["receipt_key"]), ApplicationId(case["application_id"])
    assert list(islice(candidates(key, case["channel"], application), 3)) == case["receipts"]  # type: ignore[arg-type]


def test_a_receipt_document_is_signed_over_all_of_its_members() -> None:
    case = CASES["documents"][0]
    document, public = case["document"], case["public_key"]
    assert is_receipt_of(public, document)
    assert roll_line(document) == case["line"]
    for member in document:
        assert not is_receipt_of(public, {**document, member: 3 if member in ("v", "version") else "other"})


@pytest.mark.parametrize("case", CASES["rolls"], ids=lambda case: str(case["count"]))
def test_roots_of_rolls_are_those_of_the_table(case: dict[str, int]) -> None:
    lines = [f"{number:064x}" for number in range(case["count"], 0, -1)]
    assert roll_root(write_roll(lines)) == case["root"]
