"""Decide by address and postal code whether an applicant lives in the campaign's municipality (R-B2). Pure."""

import re
from collections.abc import Callable
from enum import Enum

from services.vault.applications.rules.normalise import display
from shared.campaign.model import Residency

Municipalities = Callable[[str], frozenset[str]]
"""Seven digits → municipalities of that code, e.g. {"東京都新宿区"}; empty if the code is unknown."""

_PREFECTURE = re.compile(r"^(東京都|北海道|(?:京都|大阪)府|.{2,3}県)")
_COUNTY = re.compile(r"^[^\d-]{1,4}郡(?=[^\d-]{1,6}?[町村])")
_DESIGNATED_CITY = re.compile(r"^.+市(?=.+区$)")
_MUNICIPALITY = re.compile(r"^(?:[^\d-]{1,4}郡[^\d-]{1,6}?[町村]|[^\d-]{1,6}?[市区])(?=.)")
"""町 and 村 only behind a county: 歌舞伎町 and 荒木町 are towns of the ward, not municipalities."""
_VARIANTS = str.maketrans("ヶヵ龍濱嶋澤﨑", "ケカ竜浜島沢崎")


class Residence(Enum):
    """Result of the check. The last two need a person's decision."""

    RESIDENT = "resident"
    ELSEWHERE = "elsewhere"
    CONTRADICTION = "contradiction"
    """Address and postal code name different municipalities."""
    UNKNOWN = "unknown"
    """The address names no municipality and the postal code does not exist."""


def residence(address: str, postal_code: str, rule: Residency, municipalities: Municipalities) -> Residence:
    """Compare the address and the municipalities of the postal code with the rule.

    The address decides; if it names no municipality, the postal code does. Neither decides against the other.
    """
    codes = sorted(_comparable(code) for code in municipalities(postal_code))
    by_code = any(_is_covered(code, rule) for code in codes) if codes else None
    by_address = _names_home(_comparable(display(address)), codes, rule)
    if by_address is not None and by_code is not None and by_address != by_code:
        return Residence.CONTRADICTION
    lives_here = by_code if by_address is None else by_address
    if lives_here is None:
        return Residence.UNKNOWN
    return Residence.RESIDENT if lives_here else Residence.ELSEWHERE


def _is_covered(code: str, rule: Residency) -> bool:
    """Return whether a postal code's municipality is the rule's, with or without county, or a ward of its city."""
    prefecture, municipality = _split(code)
    if prefecture and prefecture != rule.prefecture:
        return False
    home = _comparable(rule.ward)
    return home in {municipality, _COUNTY.sub("", municipality), _city_of(municipality)}


def _names_home(address: str, codes: list[str], rule: Residency) -> bool | None:
    """Return whether the address names the rule's municipality; None if it leaves that to the postal code."""
    prefecture, local = _split(address)
    if prefecture and prefecture != rule.prefecture:
        return False
    if any(_agrees(prefecture, local, code) for code in codes):
        return None
    home = _comparable(rule.ward)
    if local.startswith((home, _COUNTY.sub("", home))) or _COUNTY.sub("", local).startswith(home):
        return True
    return False if _MUNICIPALITY.match(local) else None


def _agrees(prefecture: str, local: str, code: str) -> bool:
    """Return whether the address begins with the code's municipality, with or without county or designated city."""
    code_prefecture, municipality = _split(code)
    if prefecture and code_prefecture and prefecture != code_prefecture:
        return False
    return local.startswith((municipality, _COUNTY.sub("", municipality), _DESIGNATED_CITY.sub("", municipality)))


def _city_of(municipality: str) -> str:
    """Return 横浜市 for 横浜市中区; the name itself if it is no ward of a designated city."""
    city = _DESIGNATED_CITY.match(municipality)
    return city[0] if city else municipality


def _split(text: str) -> tuple[str, str]:
    """Return the prefecture that the text begins with, empty if it names none, and the rest."""
    prefecture = _PREFECTURE.match(text)
    return (prefecture[0], text[prefecture.end() :]) if prefecture else ("", text)


def _comparable(text: str) -> str:
    """Return the text without blanks and variant characters: 龍ヶ崎市 and 龍ケ崎市 are one municipality."""
    return text.replace(" ", "").translate(_VARIANTS)
