"""Expectations of the demo agree with the rules of the vault, which were written independently."""

from pathlib import Path

import pytest

from deploy.demo.application import DemoApplication
from deploy.demo.people import population
from services.vault.applications.rules.content import Judged, Withdrawal, judge
from shared.campaign import load_campaign
from shared.postal_codes import PostalCodes
from tests.support.duplicate_search import search

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))


@pytest.fixture(scope="module", params=[None, "QKANARIA7"])
def people(request: pytest.FixtureRequest) -> list[DemoApplication]:
    return population(CAMPAIGN, seed=20, size=2000, canary=request.param)


def test_every_expected_verdict_is_the_one_the_rules_give(people: list[DemoApplication]):
    codes = PostalCodes()
    for each in people:
        *_, last = (each.plaintext, *each.later)
        verdict, expected = judge(last, each.channel, CAMPAIGN, codes.municipalities), each.expected
        assert isinstance(verdict, Withdrawal) == (expected.status == "withdrawn")
        if isinstance(verdict, Withdrawal):
            continue
        assert set(verdict.reasons) == expected.own_reasons
        assert isinstance(verdict, Judged) == expected.readable
        if isinstance(verdict, Judged) and not verdict.reasons:
            assert not verdict.doubts
            assert {refusal.class_id for refusal in verdict.refused} == expected.refused
            assert [choice.class_id for choice in verdict.choices] == [
                class_id for class_id in expected.asked if class_id not in expected.refused
            ]


def test_only_second_applications_look_like_one_person_applying_twice(people: list[DemoApplication]):
    codes = PostalCodes()
    verdicts = [judge(each.plaintext, each.channel, CAMPAIGN, codes.municipalities) for each in people]
    applying = [
        (each, verdict.person)
        for each, verdict in zip(people, verdicts, strict=True)
        if isinstance(verdict, Judged) and not verdict.reasons
    ]
    place = {each.application_id: index for index, (each, _) in enumerate(applying)}
    again = {(place[each.twin], index) for index, (each, _) in enumerate(applying) if each.twin is not None}
    assert search([person for _, person in applying]).pairs == again
