"""Test residency by address and by Japan Post's table of postal codes."""

import pytest

from deploy.demo import addresses
from services.vault.applications.rules.residency import Residence, residence
from shared.campaign.model import Residency
from shared.postal_codes import PostalCodes

WARD = Residency(prefecture="東京都", ward="新宿区")
CODES = PostalCodes()


def verdict(address: str, postal_code: str) -> Residence:
    return residence(address, postal_code, WARD, CODES.municipalities)


@pytest.mark.parametrize(
    "address", ["東京都新宿区歌舞伎町1-4-1", "新宿区歌舞伎町1-4-1", "東京都　新宿区 歌舞伎町１－４－１"]
)
def test_an_address_that_names_the_ward_is_of_a_resident(address: str):
    assert verdict(address, "1600021") is Residence.RESIDENT


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("歌舞伎町1-4-1", "1600021"),
        ("荒木町10番3号", "1600007"),
        ("市谷加賀町1-1-1", "1620062"),
        ("東京都早稲田鶴巻町500", "1620041"),
        ("Kabukicho 1-4-1", "1600021"),
    ],
)
def test_where_the_address_names_only_a_town_the_postal_code_decides(address: str, code: str):
    assert verdict(address, code) is Residence.RESIDENT


@pytest.mark.parametrize("address", ["東京都中野区東中野5-1", "中野区東中野5-1"])
def test_a_person_of_the_next_ward_lives_elsewhere(address: str):
    assert verdict(address, "1640003") is Residence.ELSEWHERE


@pytest.mark.parametrize(
    ("address", "code"),
    [("東中野5-1", "1640003"), ("西多摩郡瑞穂町箱根ケ崎1", "1901211"), ("大阪府新宿区1-1", "5300001")],
)
def test_other_places_are_elsewhere(address: str, code: str):
    assert verdict(address, code) is Residence.ELSEWHERE


@pytest.mark.parametrize(
    ("address", "code"), [("東京都新宿区歌舞伎町1-4-1", "1640003"), ("東京都中野区東中野5-1", "1600021")]
)
def test_address_and_postal_code_against_each_other_are_for_a_person_to_look_at(address: str, code: str):
    assert verdict(address, code) is Residence.CONTRADICTION


def test_a_postal_code_that_does_not_exist_leaves_the_address_to_decide():
    assert verdict("東京都新宿区歌舞伎町1-4-1", "0000000") is Residence.RESIDENT
    assert verdict("東京都中野区東中野5-1", "0000000") is Residence.ELSEWHERE


def test_a_town_alone_with_a_postal_code_that_does_not_exist_is_for_a_person_to_look_at():
    assert verdict("歌舞伎町1-4-1", "0000000") is Residence.UNKNOWN
    assert verdict("西新宿2-8-1", "1600032") is Residence.UNKNOWN


def test_codes_of_large_offices_count_too():
    assert verdict("西新宿2-8-1", "1638001") is Residence.RESIDENT


@pytest.mark.parametrize("town", addresses.WARD_TOWNS, ids=lambda town: town.name)
def test_every_town_of_the_ward_is_home_with_and_without_its_name(town: addresses.Town):
    assert verdict(f"{town.prefecture}{town.city}{town.name}1-2", town.postal_code) is Residence.RESIDENT
    assert verdict(f"{town.name}1-2", town.postal_code) is Residence.RESIDENT


@pytest.mark.parametrize("town", addresses.OTHER_TOWNS, ids=lambda town: town.name)
def test_no_town_elsewhere_is_home(town: addresses.Town):
    assert verdict(f"{town.prefecture}{town.city}{town.name}1-2", town.postal_code) is Residence.ELSEWHERE
    assert verdict(f"{town.city}{town.name}1-2", town.postal_code) is Residence.ELSEWHERE
