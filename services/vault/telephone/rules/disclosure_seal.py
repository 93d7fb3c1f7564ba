"""Check a disclosure with nothing but the PDF and the vault's published key: who sealed it, and that the page says it.

The seal is the vault's signature over the attached data. The page carries the hash of these data; its table is read
back and compared, so that neither the data nor a row of the page can be changed unnoticed.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Final

import pypdfium2

from services.vault.closeout.rules.certificate import Check
from shared.canonical import canonical
from shared.json_types import JsonObject
from shared.signing import verify_in_context

CONTEXT: Final = "kuji/disclosure/2"
"""Context of the vault's signature over the attached data."""

_NO_SEAL: Final = Check("form", passed=False, text="the file is not a disclosure: it has no signed data attached")


def verify_disclosure(pdf: bytes, public_key: str) -> list[Check]:
    """Return the checks; none of them shows what the disclosure says."""
    try:
        with pypdfium2.PdfDocument(pdf) as document:
            attached = bytes(document.get_attachment(0).get_data()) if document.count_attachments() == 1 else b""
            page = _squeezed("".join(page.get_textpage().get_text_range() for page in document))
        data: JsonObject = json.loads(attached)
        return list(_checks(data, attached, page, public_key))
    except (pypdfium2.PdfiumError, ValueError, KeyError, TypeError, AttributeError):
        return [_NO_SEAL]


def _checks(data: JsonObject, attached: bytes, page: str, public_key: str) -> Iterator[Check]:
    same = data["document"] == "disclosure" and canonical(data) == attached
    yield _check("form", same, "it is a disclosure in canonical JSON", "the attached data are not a disclosure")
    signed = verify_in_context(public_key, CONTEXT, data)
    yield _check("seal", signed, "the vault sealed the data", "the seal does not hold for this key")
    printed = hashlib.sha256(attached).hexdigest() in page
    yield _check("hash", printed, "the page names the sealed data", "the page names other data")
    missing = sum(_squeezed("".join(row)) not in page for row in data["rows"])
    yield _check("page", not missing, "the page says what was sealed", f"{missing} rows of the page say something else")


def _squeezed(text: str) -> str:
    """Return a text without blanks and the marks at which a long line may break."""
    return "".join(text.split()).replace("\u200b", "")


def _check(name: str, passed: bool, good: str, bad: str) -> Check:  # noqa: FBT001  (the verdict itself)
    return Check(name, passed, good if passed else bad)
