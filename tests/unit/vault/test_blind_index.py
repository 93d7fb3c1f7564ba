"""Matches of people in the blind index, and the little that the index reveals."""

from hypothesis import given
from hypothesis import strategies as st

from services.vault.applications.matching import keyed_hashes
from services.vault.applications.rules.contacts import contact_channel, mail_domain_class
from services.vault.identities.person import Person
from services.vault.keys.campaign_keys import CampaignKeys
from shared.ids import CampaignId
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER, person

KEYS = CampaignKeys.generate(CAMPAIGN, NOT_AFTER)
OTHER_KEYS = CampaignKeys.generate(CampaignId("other"), NOT_AFTER)
some_text = st.text(alphabet="佐藤高橋一郎恵子サトウ", min_size=1, max_size=6)


def common(one: Person, other: Person) -> set[str]:
    mine, theirs = keyed_hashes(KEYS, one), keyed_hashes(KEYS, other)
    return {kind for kind in mine if mine[kind] == theirs[kind]}


def test_an_exact_copy_matches_in_all_fields_and_any_other_change_only_by_name():
    again = person(name="高橋一郎", address="新宿区歌舞伎町1丁目4番1号")
    assert common(person(), again) == {"name-phone", "name-address", "copy"}
    changes = ({"email": "other@gmail.example"}, {"email": None}, {"age": 35}, {"guardian_name": "髙橋 恵子"})
    for change in changes:
        assert common(person(), person(**change)) == {"name-phone", "name-address"}


def test_a_new_telephone_or_a_new_address_still_matches_by_the_other():
    assert common(person(), person(phone="0300000009")) == {"name-address"}
    assert common(person(), person(address="東京都新宿区歌舞伎町1-4-2")) == {"name-phone"}


def test_a_family_under_one_roof_and_telephone_does_not_match():
    assert common(person(), person(name="髙橋 恵子")) == set()


def test_namesakes_elsewhere_do_not_match():
    other = person(phone="0300000009", address="東京都新宿区四谷1-1", postal_code="1600004")
    assert common(person(), other) == set()


@given(some_text, some_text)
def test_two_names_match_exactly_when_they_are_equal(one: str, other: str):
    assert bool(common(person(name=one), person(name=other))) == (one == other)


def test_the_index_means_nothing_under_another_key():
    mine, theirs = keyed_hashes(KEYS, person()), keyed_hashes(OTHER_KEYS, person())
    assert set(mine.values()).isdisjoint(theirs.values())


def test_hashes_of_different_kinds_never_meet():
    assert KEYS.index_of("name-phone", "x") != KEYS.index_of("name-address", "x")
    assert KEYS.index_of("name-phone", "x") != KEYS.subject_of("x")


def test_mail_goes_to_those_who_gave_an_address_and_post_to_all_others():
    assert contact_channel(person()) == "mail"
    assert contact_channel(person(email=None)) == "post"
    assert mail_domain_class(person(email=None)) is None


@given(st.from_regex(r"[a-z0-9.]{1,20}@[a-z0-9-]{1,20}\.[a-z]{2,5}", fullmatch=True))
def test_the_class_of_a_mail_domain_is_one_of_few_words(address: str):
    known = {"docomo", "ezweb", "au", "softbank", "gmail", "yahoo", "icloud", "outlook", "hotmail", "other"}
    assert mail_domain_class(person(email=address)) in known


def test_the_big_receivers_are_distinguished():
    assert mail_domain_class(person(email="a@docomo.ne.jp")) == "docomo"
    assert mail_domain_class(person(email="a@mail.tanaka-taro.example")) == "other"
