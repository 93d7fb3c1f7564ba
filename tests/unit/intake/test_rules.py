"""Window, states and the public part of a campaign: the pure rules of intake."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.campaigns.public import public_part
from services.intake.rules.states import (
    RECEIPTED,
    STATUS_AFTER,
    Stage,
    Status,
    before_stage,
    before_status,
)
from services.intake.rules.window import Timing, is_over, timing
from shared.campaign import load_campaign
from shared.contracts import Channel

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("channel", "at", "expected"),
    [
        ("web", CAMPAIGN.window.opens - INSTANT, Timing.EARLY),
        ("web", CAMPAIGN.window.opens, Timing.OPEN),
        ("web", CAMPAIGN.window.closes - INSTANT, Timing.OPEN),
        ("web", CAMPAIGN.window.closes, Timing.LATE),
        ("fax", CAMPAIGN.window.opens - INSTANT, Timing.EARLY),
        ("fax", CAMPAIGN.window.closes, Timing.OPEN),
        ("post", CAMPAIGN.window.paper_until - INSTANT, Timing.OPEN),
        ("post", CAMPAIGN.window.paper_until, Timing.LATE),
    ],
)
def test_the_web_closes_first_and_paper_may_be_keyed_a_little_longer(channel: Channel, at: datetime, expected: Timing):
    assert timing(CAMPAIGN, channel, at) is expected


@given(st.datetimes(timezones=st.timezones()), st.sampled_from(["web", "fax", "post"]))
def test_nothing_is_taken_once_the_window_is_over(at: datetime, channel: Channel):
    if is_over(CAMPAIGN, at):
        assert timing(CAMPAIGN, channel, at) is Timing.LATE


def test_an_application_that_was_decided_never_becomes_undecided():
    decided = {Status.ACCEPTED, Status.HELD, Status.REJECTED}
    assert all(STATUS_AFTER[each] == decided for each in decided)
    assert decided < RECEIPTED


def test_only_a_pending_application_becomes_received_or_late():
    assert before_status(Status.RECEIVED) == before_status(Status.LATE) == ("pending",)
    assert not before_status(Status.PENDING)


def test_a_campaign_never_opens_again():
    assert not before_stage(Stage.OPEN)
    assert before_stage(Stage.CLOSING) == ("open",)
    assert before_stage(Stage.CLOSED) == ("closing",)
    assert before_stage(Stage.ERASED) == ("erasing",)


def test_the_public_part_tells_what_a_client_needs_to_fill_in_a_form():
    campaign, shown = CAMPAIGN, public_part(CAMPAIGN)
    assert shown["v"] == 1
    assert shown["campaign"] == "777-days"
    assert shown["purpose_version"] == campaign.purpose.version
    assert shown["purpose"]["text"]["ja"] == campaign.purpose.text.ja
    assert set(shown["window"]) == {"opens", "closes"}
    assert [each["id"] for each in shown["classes"]] == [each.id for each in campaign.classes]
    food = shown["classes"][6]
    assert food["seats"] == [2]
    assert food["eligibility"]["grades"] == ["p4", "p5", "p6", "j1", "j2", "j3"]
    json.dumps(shown)


def test_the_public_part_holds_no_contract_and_no_mail_address():
    text = json.dumps(public_part(CAMPAIGN), ensure_ascii=False)
    assert "contract" not in public_part(CAMPAIGN)
    assert "@" not in text
