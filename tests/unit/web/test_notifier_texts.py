"""Every text that the page of notices asks for is there: literal keys, states, kinds and tasks."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

import shared
from services.notifier.pages import TEXTS
from services.notifier.pages.telephone import Answer
from services.notifier.post.endpoints import ReturnReason
from services.notifier.rules.states import NoticeState
from services.notifier.rules.tasks import TaskCode
from shared.catalogue import Catalogue
from shared.web.pages import catalogues_with

NOTIFIER = Path(__file__).resolve().parents[3] / "services" / "notifier"
CATALOGUES = catalogues_with(TEXTS)
KINDS = json.loads((Path(shared.__file__).with_name("notices") / "kinds.json").read_text("utf-8"))["kinds"]
COMPOSED_KEYS = {
    *(f"notices.state.{state}" for state in NoticeState),
    *(f"notices.kind.{kind}" for kind in KINDS),
    *(f"notices.task.{code}{part}" for code in get_args(TaskCode) for part in ("", ".do", ".command")),
    *(f"notices.returned.{reason}" for reason in get_args(ReturnReason)),
    *(f"telephone.answer.{answer}" for answer in get_args(Answer)),
    "live.away",
    "call.signed-out",
}


def asked_for() -> set[str]:
    """Return the literal keys in templates."""
    sources = [path.read_text("utf-8") for path in (NOTIFIER / "pages").rglob("*.html")]
    return {key for text in sources for key in re.findall(r"""\bt\(\s*["']([a-z_.-]+[a-z])["']""", text)}


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda each: each.lang)
def test_no_text_is_missing_and_none_is_left_over(catalogue: Catalogue) -> None:
    needed = asked_for() | COMPOSED_KEYS
    own = {key for key in catalogue.texts if key.startswith(("notices.", "telephone."))}
    assert needed - set(catalogue.texts) == set()
    assert own - needed == set()


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda each: each.lang)
def test_fields_in_texts_are_the_same_in_every_language(catalogue: Catalogue) -> None:
    def fields(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    for key, text in CATALOGUES[0].texts.items():
        assert fields(text) == fields(catalogue.texts[key]), key
