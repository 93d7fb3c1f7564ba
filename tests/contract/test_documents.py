"""Documents name files of the checkout; a reader who follows them must find them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
NAMED = re.compile(r"`((?:services|shared|deploy|tests|docs)/[\w./-]+)`|\]\((?!https?:|#)([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text("utf-8")
    named = [ROOT / path if path else document.parent / link for path, link in NAMED.findall(text)]

    assert sorted({str(path) for path in named if not path.exists()}) == []


CITED = re.compile(r"`((?:attack|bench|contract|e2e|fault|integration|unit)/[\w./*-]+)`")
"""Tests, named below `tests/` as in the tables of rules."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_a_document_cites_exists(document: Path) -> None:
    """Look below `tests/`: a rule whose test was renamed or removed would look proved."""
    cited = set(CITED.findall(document.read_text("utf-8")))
    assert sorted(path for path in cited if not any((ROOT / "tests").glob(path.rstrip("/")))) == []


def test_the_rules_cite_many_tests() -> None:
    assert len(set(CITED.findall((ROOT / "docs" / "compliance.md").read_text("utf-8")))) > 60
