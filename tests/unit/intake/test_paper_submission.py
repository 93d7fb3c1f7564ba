"""A paper id has one content, and no transition leads back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake.rules.paper_states import PAPER_STATES, RECEIPTED_PAPER, PaperStatus
from services.intake.rules.paper_submission import PaperSubmission, fingerprint
from shared.encoding import b64url
from shared.ids import CampaignId, KeyId, PaperId, Serial

CAMPAIGN = CampaignId("777-days")
PAPER = PaperSubmission(
    v=1,
    paper_id=PaperId("5d0b3f1f-2a52-4c6c-9d3a-0b6f6f0f2c22"),
    key_id=KeyId("k1"),
    channel="fax",
    serial=Serial("F-1"),
    received_at=datetime(2018, 5, 16, tzinfo=UTC),
    sealed=b64url(bytes(1200)),
)


@given(st.integers(-12, 14))
def test_the_same_moment_in_another_zone_is_the_same_paper(hours: int):
    elsewhere = PAPER.received_at.astimezone(timezone(timedelta(hours=hours)))
    assert fingerprint(CAMPAIGN, PAPER.model_copy(update={"received_at": elsewhere})) == fingerprint(CAMPAIGN, PAPER)


@pytest.mark.parametrize(
    "change",
    [
        {"key_id": "k2"},
        {"channel": "post"},
        {"serial": "F-2"},
        {"received_at": datetime(2018, 5, 16, 0, 0, 1, tzinfo=UTC)},
        {"sealed": b64url(bytes(1201))},
    ],
)
def test_each_change_of_the_content_changes_the_fingerprint(change: dict[str, object]):
    assert fingerprint(CAMPAIGN, PAPER.model_copy(update=change)) != fingerprint(CAMPAIGN, PAPER)
    assert fingerprint(CampaignId("other"), PAPER) != fingerprint(CAMPAIGN, PAPER)


@given(st.text(min_size=1).filter(lambda text: not (text.isascii() and text.replace("-", "a").isalnum())))
def test_a_serial_number_with_free_text_is_refused(text: str):
    with pytest.raises(ValidationError) as caught:
        PaperSubmission.model_validate(PAPER.model_dump() | {"serial": text})
    assert "input_value" not in str(caught.value)


def test_settled_papers_are_final_and_only_received_papers_count_as_receipted():
    for settled in (PaperStatus.KEYED, PaperStatus.DISCARDED):
        assert settled in PAPER_STATES.final
        assert set(PAPER_STATES.before(settled)) == {"pending", "late", "received"}
    assert set(PAPER_STATES.before(PaperStatus.RECEIVED)) == {"pending"}
    assert PaperStatus.PENDING not in RECEIPTED_PAPER
    assert PaperStatus.LATE not in RECEIPTED_PAPER
