"""Each text that pages, programs and reason codes use exists in each language."""

import re
from pathlib import Path

import pytest

from shared.catalogue import Catalogue, load_catalogues
from shared.errors import ConfigurationError
from shared.web.pages import catalogues_with

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "services" / "intake" / "web" / "src"
CATALOGUES = catalogues_with(ROOT / "services" / "intake" / "pages" / "texts")
REASONS = {
    "malformed", "purpose-version", "not-resident", "grade", "age", "guardian-missing", "guardian-not-allowed",
    "class-unknown", "seats", "channel-email",
}  # fmt: skip
"""protocols.md §1."""


def asked_for() -> set[str]:
    """Literal keys in templates, in the program and in the words; keys that are put together are checked below."""
    folders = [PROGRAM, ROOT / "services" / "intake" / "pages", ROOT / "shared" / "web"]
    sources = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".ts", ".html"}]
    found = (re.findall(r"""\b(?:t|say)\(\s*["']([a-z_.-]+[a-z])["']""", path.read_text("utf-8")) for path in sources)
    return {key for keys in found for key in keys}


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda each: each.lang)
def test_no_text_is_missing(catalogue: Catalogue):
    assert len(asked_for()) > 60
    assert asked_for() - set(catalogue.texts) == set()
    assert {f"reason.{code}" for code in REASONS} <= set(catalogue.texts)


COMPOSED = {
    *(f"status.{status}" for status in ("received", "complete", "under-review", "rejected", "withdrawn", "drawn")),
    *(f"confirm.{name}{kind}" for name in ("what", "send") for kind in ("", "-correction")),
    *(f"failed.{kind}" for kind in ("unsafe", "unproved", "version-taken", "not-yours")),
    *("done.heading-withdrawn", "done.heading-corrected", "failed.heading-own", "failed.back-withdrawal"),
}


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda each: each.lang)
def test_texts_with_composed_keys_are_there(catalogue: Catalogue):
    assert set(catalogue.texts) >= COMPOSED


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda each: each.lang)
def test_places_in_texts_are_the_same_in_every_language(catalogue: Catalogue):
    def places(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    assert {key: places(text) for key, text in catalogue.texts.items()} == {
        key: places(text) for key, text in CATALOGUES[0].texts.items()
    }


def test_the_error_of_every_problem_the_form_can_find_has_a_text():
    source = (PROGRAM / "application.ts").read_text("utf-8")
    found = re.findall(r'field: "(\w+)", code: "([\w-]+)"', source)
    assert len(found) >= 5
    assert {f"error.{field}.{code}" for field, code in found} <= set(CATALOGUES[0].texts)


def test_japanese_comes_first_and_each_language_has_a_prefix_of_its_own():
    assert CATALOGUES[0].lang == "ja"
    assert len({each.prefix for each in CATALOGUES}) == len(CATALOGUES)


def test_a_language_that_says_less_is_refused(tmp_path: Path):
    (tmp_path / "ja.json").write_text('{"lang": "ja", "prefix": "", "a": "あ"}', "utf-8")
    (tmp_path / "ko.json").write_text('{"lang": "ko", "prefix": "/ko"}', "utf-8")
    with pytest.raises(ConfigurationError, match=r"ko\.json.*: a"):
        load_catalogues(tmp_path)
