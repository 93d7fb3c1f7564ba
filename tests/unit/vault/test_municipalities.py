"""A campaign for residents of a municipality that does not exist does not start."""

from pathlib import Path

import pytest

from services.vault.applications.municipalities import check_municipalities
from shared.campaign import load_campaign
from shared.campaign.model import Residency
from shared.errors import ConfigurationError

SAMPLE = load_campaign(Path("deploy/campaigns/777-days.yaml"))


def for_residents_of(prefecture: str, ward: str) -> None:
    check_municipalities([SAMPLE.model_copy(update={"residency": Residency(prefecture=prefecture, ward=ward)})])


@pytest.mark.parametrize(
    ("prefecture", "ward"),
    [
        ("東京都", "新宿区"), ("神奈川県", "横浜市"), ("神奈川県", "横浜市中区"), ("東京都", "瑞穂町"),
        ("東京都", "西多摩郡瑞穂町"), ("愛媛県", "八幡浜市"), ("北海道", "泊村"),
    ],
)  # fmt: skip
def test_municipalities_of_the_postal_table_are_known(prefecture: str, ward: str):
    for_residents_of(prefecture, ward)


@pytest.mark.parametrize(
    ("prefecture", "ward"),
    [
        ("東京都", "新宿"), ("大阪府", "新宿区"), ("東京", "新宿区"), ("東京都", "新宿区歌舞伎町"),
        ("神奈川県", "中区"), ("東京都", "横浜市"),
    ],
)  # fmt: skip
def test_any_other_stops_the_start_and_says_how_to_write_it(prefecture: str, ward: str):
    with pytest.raises(ConfigurationError, match="is not in the postal table; write prefecture and municipality"):
        for_residents_of(prefecture, ward)
