"""Whether somebody lives in the ward (R-B2), by what address and postal code say. Pure, given a look-up."""

import re
from collections.abc import Callable
from enum import Enum

from services.vault.normalise import display
from shared.campaign.model import Residency

Municipalities = Callable[[str], frozenset[str]]
"""Seven digits → names of the municipalities of that code, e.g. {"新宿区"}; empty where the code is unknown."""

_PREFECTURE = re.compile(r"^(東京都|北海道|(?:京都|大阪)府|.{2,3}県)")
_MUNICIPALITY = re.compile(r"^(.{1,4}郡)?.{1,6}?[市区町村](?=.)")


class Residence(Enum):
    RESIDENT = "resident"
    ELSEWHERE = "elsewhere"
    CONTRADICTION = "contradiction"
    """Address and postal code speak of different places: a person has to look."""


def residence(address: str, postal_code: str, rule: Residency, municipalities: Municipalities) -> Residence:
    """The address decides; where it names no municipality, the postal code does."""
    named = _names_ward(display(address), rule)
    by_code = municipalities(postal_code)
    if named is None:
        return Residence.RESIDENT if rule.ward in by_code else Residence.ELSEWHERE
    if named and by_code and rule.ward not in by_code:
        return Residence.CONTRADICTION
    return Residence.RESIDENT if named else Residence.ELSEWHERE


def _names_ward(address: str, rule: Residency) -> bool | None:
    """True or False where the address names a municipality, None where it begins with a town."""
    plain = address.replace(" ", "")
    prefecture = _PREFECTURE.match(plain)
    rest = plain[prefecture.end() :] if prefecture else plain
    if rest.startswith(rule.ward):
        return prefecture is None or prefecture[0] == rule.prefecture
    if prefecture or _MUNICIPALITY.match(rest):
        return False
    return None
