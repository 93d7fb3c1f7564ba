"""Test the pure rules of intake: window, states and the public part of a campaign."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.campaigns.public import extract_public
from services.intake.rules.states import (
    CAMPAIGN_STAGES,
    RECEIPTED,
    SUBMISSION_STATES,
    Stage,
    Status,
)
from services.intake.rules.window import Timing, classify_time, is_over
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
def test_the_web_closes_first_and_paper_may_be_keyed_longer(channel: Channel, at: datetime, expected: Timing):
    assert classify_time(CAMPAIGN, channel, at) is expected


@given(st.datetimes(timezones=st.timezones()), st.sampled_from(["web", "fax", "post"]))
def test_every_channel_is_closed_after_the_window(at: datetime, channel: Channel):
    if is_over(CAMPAIGN, at):
        assert classify_time(CAMPAIGN, channel, at) is Timing.LATE


def test_a_decided_application_stays_decided():
    decided = {Status.COMPLETE, Status.UNDER_REVIEW, Status.REJECTED, Status.WITHDRAWN}
    assert all(SUBMISSION_STATES.after[status] == decided | {Status.ERASED} for status in decided)
    assert decided < RECEIPTED


def test_an_erased_application_stays_erased():
    assert SUBMISSION_STATES.after[Status.ERASED] == set()
    assert Status.ERASED not in RECEIPTED


def test_only_a_pending_application_becomes_received_or_late():
    assert SUBMISSION_STATES.before(Status.RECEIVED) == SUBMISSION_STATES.before(Status.LATE) == ["pending"]
    assert not SUBMISSION_STATES.before(Status.PENDING)


def test_no_transition_leads_back_to_open():
    assert not CAMPAIGN_STAGES.before(Stage.OPEN)
    assert CAMPAIGN_STAGES.before(Stage.CLOSING) == ["open"]
    assert CAMPAIGN_STAGES.before(Stage.CLOSED) == ["closing"]
    assert CAMPAIGN_STAGES.before(Stage.ERASED) == ["erasing"]


def test_the_public_part_has_the_members_that_a_form_needs():
    campaign, public = CAMPAIGN, extract_public(CAMPAIGN)
    assert public["v"] == 1
    assert public["campaign"] == "777-days"
    assert public["purpose_version"] == campaign.purpose.version
    assert public["purpose"]["text"]["ja"] == campaign.purpose.text.ja
    assert set(public["window"]) == {"opens", "closes"}
    assert [each["id"] for each in public["classes"]] == [each.id for each in campaign.classes]
    food = public["classes"][6]
    assert food["seats"] == [2]
    assert food["eligibility"]["grades"] == ["p4", "p5", "p6", "j1", "j2", "j3"]
    json.dumps(public)


def test_the_public_part_has_no_contract_and_no_mail_address():
    text = json.dumps(extract_public(CAMPAIGN), ensure_ascii=False)
    assert "contract" not in extract_public(CAMPAIGN)
    assert "@" not in text
