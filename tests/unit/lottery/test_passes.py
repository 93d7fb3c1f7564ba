"""A pass says what it was written with, to whoever has the key; and nothing else is a pass."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lottery.record.passes import InvalidPassError, Pass, read_pass, write_pass
from shared.ids import CampaignId
from shared.signing import SigningKey

SIGNING = SigningKey.generate()
CAMPAIGN = CampaignId("777-days")
MINUTES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(second=0, microsecond=0)
)
PASSES = st.builds(Pass, st.binary(min_size=16, max_size=16), st.integers(1, 99), st.integers(1, 20), MINUTES, MINUTES)
DAY = datetime(2018, 6, 9, tzinfo=UTC)
TEXT = write_pass(SIGNING, CAMPAIGN, Pass(bytes(range(16)), 7, 2, DAY, DAY))


@given(PASSES)
def test_a_pass_reads_back_as_it_was_written(shown: Pass):
    assert read_pass([SIGNING.public], CAMPAIGN, write_pass(SIGNING, CAMPAIGN, shown)) == shown


def test_no_changed_character_is_taken():
    for at in range(len(TEXT)):
        for other in "A7":
            changed = TEXT[:at] + other + TEXT[at + 1 :]
            if changed != TEXT:
                with pytest.raises(InvalidPassError):
                    read_pass([SIGNING.public], CAMPAIGN, changed)


@pytest.mark.parametrize(
    ("public", "campaign", "text", "why"),
    [
        (SigningKey.generate().public, CAMPAIGN, TEXT, "signature"),
        (SIGNING.public, CampaignId("other"), TEXT, "campaign"),
        (SIGNING.public, CAMPAIGN, TEXT.lower(), "form"),
        (SIGNING.public, CAMPAIGN, TEXT + "\n", "form"),
        (SIGNING.public, CAMPAIGN, "", "form"),
    ],
    ids=["key", "campaign", "case", "line", "nothing"],
)
def test_a_pass_of_another_key_campaign_or_form_is_refused(public: str, campaign: CampaignId, text: str, why: str):
    with pytest.raises(InvalidPassError) as refusal:
        read_pass([public], campaign, text)
    assert refusal.value.why == why
