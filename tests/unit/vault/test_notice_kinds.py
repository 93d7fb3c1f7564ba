"""Kinds of notices: parameters are enumerations, times, counts and classes; conditions compare slip and register."""

from pathlib import Path

import pytest

from services.vault.notices.rules.kinds import DEFAULTS, KINDS, Param, check_params, holds
from services.vault.notices.rules.registered import Registered
from services.vault.notices.rules.samples import SAMPLE_RECEIPT, sample_slip
from shared.campaign import load_campaign
from shared.contracts import OutcomeSlip
from shared.contracts.notices import NoticeParams

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
FIRST, SECOND = CAMPAIGN.classes[:2]


def slip(outcome: str, *, change: int) -> OutcomeSlip:
    return sample_slip(CAMPAIGN, [(FIRST, outcome, None), (SECOND, "won", None)], draw=1, change=change)


def test_each_kind_has_a_template_for_each_of_its_channels() -> None:
    """Check also that only the notice that no mail may bring has no template for mails."""
    for kind, known in KINDS.items():
        assert {path.name for path in (DEFAULTS / kind).iterdir()} == {f"{channel}.txt" for channel in known.channels}
    assert [kind for kind, known in KINDS.items() if set(known.channels) != {"mail", "card"}] == ["undecided"]


@pytest.mark.parametrize(
    ("kind", "params", "expected"),
    [
        ("result", {}, True),
        ("result", {"class_id": "junior-football"}, False),
        ("offer", {"class_id": "junior-football"}, True),
        ("offer", {"class_id": "no-class-of-the-campaign"}, False),
        ("offer", {"class_id": 1}, False),
        ("offer", {}, False),
        ("cancelled-by-weather", {"weather": "rain"}, True),
        ("cancelled-by-weather", {"weather": "rain", "class_id": "junior-football"}, True),
        ("cancelled-by-weather", {"weather": "hanako@example.jp"}, False),
        ("cancelled-by-weather", {}, False),
        ("entrance-changed", {"entrance": "north", "name": "Hanako"}, False),
        ("unknown-kind", {}, False),
    ],
)
def test_parameters_are_those_of_the_kind_and_no_others(kind: str, params: NoticeParams, *, expected: bool) -> None:
    assert check_params(kind, params, CAMPAIGN) == expected


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("count", 3, True),
        ("count", "3", False),
        ("time", "2018-06-09T10:00:00+09:00", True),
        ("time", "2018-13-09T10:00:00+09:00", False),
        ("time", "tomorrow", False),
        ("time", 3, False),
    ],
)
def test_a_count_is_a_number_and_a_time_has_an_offset(form: str, value: str | int, *, expected: bool) -> None:
    assert Param.model_validate({"form": form}).accepts(value, CAMPAIGN) == expected


@pytest.mark.parametrize(
    ("kind", "outcome", "change", "expected"),
    [
        ("result", "lost", 0, True),
        ("result", "lost", 1, False),
        ("offer", "offered", 1, True),
        ("offer", "offered", 0, False),
        ("offer", "won", 1, False),
        ("place-won", "won", 1, True),
        ("place-withdrawn", "gone", 1, True),
        ("place-withdrawn", "won", 1, False),
        ("offer-expired", "gone", 1, True),
        ("correction", "lost", 1, True),
        ("acknowledgement", "won", 0, False),
        ("entrance-changed", "won", 0, False),
        ("unknown-kind", "won", 0, False),
    ],
)
def test_a_slip_allows_only_the_kind_that_it_is_about(kind: str, outcome: str, change: int, *, expected: bool) -> None:
    assert holds(kind, slip(outcome, change=change), {"class_id": FIRST.id}) == expected


@pytest.mark.parametrize("reasons", [(), ("duplicate",)])
def test_an_application_is_acknowledged_or_rejected_by_its_reasons(reasons: tuple[str, ...]) -> None:
    registered = Registered(SAMPLE_RECEIPT, "", reasons, (), (), 1)
    assert holds("acknowledgement", registered, {}) == (not reasons)
    assert holds("rejected", registered, {}) == bool(reasons)
    assert not holds("result", registered, {})


def test_an_announcement_needs_neither_slip_nor_register() -> None:
    assert holds("cancelled-by-weather", None, {})
    assert not holds("rejected", None, {})
