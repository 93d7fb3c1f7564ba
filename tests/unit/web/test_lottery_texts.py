"""Every text that the lottery's pages, their programs, a step, a wait or an event of a draw asks for is there."""

import re
from pathlib import Path
from typing import get_args

import pytest

from services.lottery.allocation.allocator import LostReason
from services.lottery.draw.relays import Trouble
from services.lottery.pages import TEXTS
from services.lottery.places.corrections import REASON
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import Obstacle
from services.lottery.statistics.rules.demand import CHANNELS
from services.lottery.statistics.rules.timeline import BLOCKING, StepName, StepState
from shared.catalogue import Catalogue
from shared.contracts import SlipOutcome
from shared.web.pages import catalogues_with

LOTTERY = Path(__file__).resolve().parents[3] / "services" / "lottery"
CATALOGUES = catalogues_with(TEXTS)
COMPOSED_KEYS = {
    *(f"draws.step.{name}" for name in get_args(StepName)),
    *(f"draws.state.{state}" for state in StepState),
    *(f"draws.now.{state}" for state in StepState if state is not StepState.DONE),
    *(f"draws.wait.{code}" for code in BLOCKING),
    "draws.wait.beacon-due",
    *(f"draws.event.{move}" for move in ("frozen", "drawn", *Move)),
    *(f"draws.reason.{why}" for why in ("no-show", "applicant", "office", "present", REASON, *get_args(Obstacle))),
    *(f"draws.by.{who}" for who in ("applicant", "schedule", "reception")),
    *(f"draws.trouble.{code}" for code in get_args(Trouble)),
    *(f"draws.say.{name}" for name in ("class", "capacity", "asked", "won", "seats", "waiting")),
    *(f"draws.results.lost.{reason}" for reason in get_args(LostReason)),
    *(f"draws.channel.{channel}" for channel in CHANNELS),
    *(f"verify.moved.{move}" for move in Move),
    *(f"verify.now.{state}" for state in PlaceState),
    *(f"verify.tried.{outcome}" for outcome in ("taken", "held", "clash", "full")),
    *(f"verify.ending.{outcome}" for outcome in ("won", "waiting", "lost")),
    *(f"verify.lost.{reason}" for reason in get_args(LostReason)),
    *(f"verify.known.{who}" for who in ("typed", "computed")),
    *(f"verify.who.{why}" for why in ("form", "unknown", "several", "away")),
    "verify.code.form",
    *(f"withdraw.outcome.{outcome}" for outcome in get_args(SlipOutcome.model_fields["outcome"].annotation)),
    "withdraw.outcome.excluded",
    *(f"withdraw.why.lost.{why}" for why in (*get_args(LostReason), "clash-unnamed", "other")),
    *(f"withdraw.why.refused.{why}" for why in ("grade", "age", "seats", "class-unknown", "other")),
    *(f"withdraw.why.gone.{why}" for why in ("withdrawn", "declined", "expired", "released", "other")),
    *(f"withdraw.do.{answer}" for answer in ("", "accept", "decline", "withdraw", "decline.sure", "withdraw.sure")),
    *(f"withdraw.done.{answer}" for answer in ("accept", "decline", "withdraw")),
    *(f"withdraw.error.{why}" for why in ("not-yours", "too-many", "not-now", "not-possible", "away")),
    *(f"verify.table.{name}" for name in ("class", "capacity", "asked", "won", "seats", "waiting")),
}


def asked_for() -> set[str]:
    """Literal keys in templates and programs."""
    sources = [*(LOTTERY / "pages").rglob("*"), *(LOTTERY / "web" / "src").rglob("*")]
    texts = [path.read_text("utf-8") for path in sources if path.suffix in {".py", ".ts", ".html"}]
    return {key for text in texts for key in re.findall(r"""(?:\bt|\.say)\(\s*["']([a-z_.-]+[a-z])["']""", text)}


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda each: each.lang)
def test_no_text_is_missing(catalogue: Catalogue):
    assert len(asked_for()) > 60
    assert (asked_for() | COMPOSED_KEYS) - set(catalogue.texts) == set()


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda each: each.lang)
def test_places_in_texts_are_the_same_in_every_language(catalogue: Catalogue):
    def places(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    assert {key: places(text) for key, text in catalogue.texts.items()} == {
        key: places(text) for key, text in CATALOGUES[0].texts.items()
    }
