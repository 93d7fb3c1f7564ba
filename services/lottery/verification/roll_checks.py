"""Checks of the roll of receipts against a transcript: what proves that no receipt was dropped. Pure.

The holder of a receipt document needs nothing but it and published files (`docs/protocols.md` §0, "Roll").
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from pydantic import ValidationError

from services.lottery.record.manifest import Manifest
from services.lottery.verification.check import Check
from shared.receipt_documents import ReceiptDocument, is_receipt_of, roll_line, roll_root

_LINE: Final = re.compile(r"[0-9a-f]{64}\n")


def check_roll(content: Any, roll: str) -> Iterator[Check]:
    """Yield the checks of a roll (text) against the manifest of a transcript."""
    try:
        manifest = Manifest.read(content["manifest"])
    except (KeyError, TypeError, ValueError):
        yield Check("roll", False, "the manifest cannot be read")
        return
    lines = roll.splitlines(keepends=True)
    formed = all(map(_LINE.fullmatch, lines)) and all(before < after for before, after in pairwise(lines))
    yield Check("form of the roll", formed, "64 hex digits a line, sorted, each line once")
    counted = len(lines) == manifest.receipts.count
    yield Check("number of receipts", counted, f"{len(lines)} lines, the manifest says {manifest.receipts.count}")
    rooted = formed and roll_root(roll) == manifest.receipts.root
    yield Check("root of the roll", rooted, "the Merkle root of the roll is the manifest's")


def check_receipt(content: Any, roll: str, document: Any, intake_key: str | None = None) -> Iterator[Check]:
    """Yield the checks of one receipt document: its form, its signature if a key is given, and its line in the roll.

    A document whose line is absent proves that a later version of the application was taken, or that it was dropped.
    """
    campaign = _campaign(content)
    try:
        receipt = ReceiptDocument.model_validate(document)
    except ValidationError:
        yield Check("receipt document", False, "it does not have the form of a receipt document")
        return
    if receipt.campaign != campaign:
        yield Check("receipt document", False, "it is of another campaign")
        return
    if intake_key is not None:
        signed = is_receipt_of(intake_key, document)
        yield Check("signature of the receipt", signed, "intake's key signed it" if signed else "another key signed it")
    stands = f"{roll_line(document)}\n" in roll.splitlines(keepends=True)
    text = f"{receipt.receipt}, version {receipt.version}, {'stands' if stands else 'does not stand'} in the roll"
    yield Check("receipt in the roll", stands, text)


def _campaign(content: Mapping[str, Any]) -> Any:
    try:
        return json.loads(content["manifest"])["campaign"]
    except (KeyError, TypeError, ValueError):
        return None
