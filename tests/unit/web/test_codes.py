"""The pages make and read codes, entry ids, proofs and receipt documents by the same table as Python."""

import json
from pathlib import Path
from typing import Any

import pytest
import segno

from shared import codes
from shared.canonical import canonical
from shared.encoding import b64url
from shared.ids import CampaignId, new_application_id
from shared.receipt_documents import sealed_hash
from shared.signing import SigningKey
from tests.support.node_programs import Ask, bundled

CASES = json.loads((Path(__file__).resolve().parents[2] / "cases" / "codes.json").read_text("utf-8"))
CAMPAIGN = CampaignId("777-days")
SEALED = b"sealed bytes"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    return bundled("codes.ts", tmp_path_factory.mktemp("web"))


def test_ids_and_proofs_are_those_of_the_table(program: Ask):
    assert program("derive", CASES["vectors"]) == CASES["vectors"]


def test_typed_codes_and_entry_numbers_are_read_by_the_table(program: Ask):
    right, numbers = CASES["right"], CASES["numbers"]
    assert program("parse", [case["typed"] for case in right]) == [case["code"] for case in right]
    assert program("parse", CASES["wrong"]) == [None] * len(CASES["wrong"])
    read = program("numbers", [case["typed"] for case in numbers["right"]])
    assert read == [case["entry_number"] for case in numbers["right"]]
    assert program("numbers", numbers["wrong"]) == [None] * len(numbers["wrong"])


def test_a_new_code_always_has_an_entry_number_that_leads_to_its_entry(program: Ask):
    application = new_application_id()
    made = program("new", {"campaign": CAMPAIGN, "application_id": application, "count": 200})
    assert len(set(made)) == 200
    entries = [codes.entry_id(CAMPAIGN, application, codes.Code(code)) for code in made]
    numbers = [codes.entry_number(entry) for entry in entries]
    assert program("prefixes", numbers) == [entry[:10] for entry in entries]
    assert program("format", made) == [codes.format_code(codes.Code(code)) for code in made]


def test_a_receipt_document_is_checked_in_all_of_its_members(program: Ask):
    case = CASES["documents"][0]
    document = case["document"]
    changed = [
        document | {member: 3 if member in ("v", "version") else "F" + str(document[member])[1:]} for member in document
    ]
    question = [{"public_key": case["public_key"], "document": each, "sent": None} for each in (document, *changed)]
    answers = program("documents", question)
    assert [answer["signed"] for answer in answers] == [True] + [False] * len(changed)
    assert answers[0]["line"] == case["line"]


@pytest.mark.parametrize("member", ["campaign", "application_id", "version", "sealed", None])
def test_a_receipt_document_confirms_only_the_version_that_was_sent(program: Ask, member: str | None):
    key, application = SigningKey.generate(), new_application_id()
    document = {
        "v": 2,
        "campaign": CAMPAIGN,
        "receipt": "W-7K3M-9Q2P-6",
        "application_id": application,
        "version": 2,
        "sealed_sha256": sealed_hash(SEALED),
        "received_at": "2018-05-16T10:00:00+09:00",
    }
    sent: dict[str, Any] = {"campaign": CAMPAIGN, "application_id": application, "version": 2, "sealed": b64url(SEALED)}
    other = {"campaign": "other", "application_id": new_application_id(), "version": 1, "sealed": b64url(b"other")}
    sent |= {} if member is None else {member: other[member]}
    signed = key.sign_in_context("kuji/receipt/2", document)
    [answer] = program("documents", [{"public_key": key.public, "document": signed, "sent": sent}])
    assert answer["signed"]
    assert answer["confirmed"] == (member is None)


def test_a_qr_code_is_read_again_by_another_program_with_every_mask(program: Ask):
    document = canonical(CASES["documents"][0]["document"]).decode()
    cases: list[tuple[str, int | None]] = [("x" * length, None) for length in (1, 14, 15, 180, 230, 997)]
    cases += [(document, mask) for mask in (None, *range(8))]
    read = program("qr", cases)
    for (text, _), code in zip(cases, read, strict=True):
        expected = segno.make(text, error="m", mode="byte", micro=False, boost_error=False)
        assert code == {"text": text, "version": expected.version}
