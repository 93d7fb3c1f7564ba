"""Classes are described as announcements of a ward office have them, and in English."""

from pathlib import Path

from services.intake.pages import TEXTS, wording
from shared.campaign import load_campaign
from shared.web.pages import catalogues_with

JA, EN = catalogues_with(TEXTS)
CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
WHO = {event_class.id: (wording.who(event_class, JA), wording.who(event_class, EN)) for event_class in CAMPAIGN.classes}


def test_eligibility_is_described_in_ranges_of_grades():
    assert WHO["junior-football"] == ("小学2〜4年生", "primary school year 2 to 4")
    assert WHO["escort-kids"] == ("小学1年生", "primary school year 1")
    assert WHO["attend-olympians"] == ("中学生", "junior high school pupils")
    assert WHO["adult-running"] == ("20歳以上", "aged 20 or over")
    assert WHO["parent-child-food"][0] == "小学4〜6年生、中学生、15歳から19歳まで、お子さまと保護者の2人1組"


def test_places_for_pairs_are_counted_in_pairs_and_in_people():
    food = next(each for each in CAMPAIGN.classes if each.id == "parent-child-food")
    assert wording.class_view(food, JA).places == "190組 (380人)"
    assert wording.class_view(food, EN).places == "190 pairs (380 people)"


def test_a_class_with_few_seats_has_the_odds_of_each_group_size():
    odds = wording.odds_by_class(CAMPAIGN)
    assert set(odds) == {"escort-kids"}
    assert odds["escort-kids"] == wording.Odds((2, 5, 10), ((1, (50, 20, 10)),))


def test_a_larger_group_has_smaller_odds():
    [kids] = [each for each in CAMPAIGN.classes if each.id == "escort-kids"]
    pairs = CAMPAIGN.model_copy(update={"classes": (kids.model_copy(update={"capacity": 9, "seats": (2, 1, 3)}),)})
    lines = wording.odds_by_class(pairs)["escort-kids"].lines
    assert [size for size, _ in lines] == [1, 2, 3]
    assert all(first > second > third for first, second, third in zip(*(each for _, each in lines), strict=True))
