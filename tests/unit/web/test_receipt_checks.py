"""A receipt document is checked alike by `./kuji verify receipt.json` and by the page /verify."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.verify_receipt import Published, check_receipt_file
from tests.support.node_programs import Ask

CASES = json.loads((Path(__file__).resolve().parents[2] / "cases" / "receipt_checks.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_the_command_finds_what_the_table_says(case: dict[str, Any]):
    published = case["published"] and Published(case["published"]["manifest"], case["published"]["roll"])
    keys = case["keys"]
    found = check_receipt_file(case["document"], keys["intake"], published, keys["lottery"])
    assert [[check.name, check.passed] for check in found] == case["checks"]


def test_the_page_finds_what_the_table_says(verifier: Ask):
    found = verifier("receipts", CASES)
    assert {case["why"]: answer for case, answer in zip(CASES, found, strict=True)} == {
        case["why"]: case["checks"] for case in CASES
    }


def test_a_text_is_read_as_a_receipt_only_if_it_is_one_object_that_names_each_member_once(verifier: Ask):
    document = CASES[0]["document"]
    text = json.dumps(document)
    read = verifier(
        "receiptTexts", [text, json.dumps(document, indent=2), text[:-1], "", "[]", "1", f'{{"v":2,{text[1:]}']
    )
    assert read == [document, document, None, None, None, None, None]
