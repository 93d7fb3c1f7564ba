"""Whether somebody lives in the ward (R-B2), by what address and postal code say. Pure, given a look-up."""

import re
from collections.abc import Callable
from enum import Enum

from services.vault.applications.rules.normalise import display
from shared.campaign.model import Residency

Municipalities = Callable[[str], frozenset[str]]
"""Seven digits → names of the municipalities of that code, e.g. {"新宿区"}; empty where the code is unknown."""

_PREFECTURE = re.compile(r"^(東京都|北海道|(?:京都|大阪)府|.{2,3}県)")
_MUNICIPALITY = re.compile(r"^(?:[^\d-]{1,4}郡[^\d-]{1,6}?[町村]|[^\d-]{1,6}?[市区])(?=.)")
"""町 and 村 only behind a county: 歌舞伎町 and 荒木町 are towns of the ward, not municipalities."""


class Residence(Enum):
    RESIDENT = "resident"
    ELSEWHERE = "elsewhere"
    CONTRADICTION = "contradiction"
    """Address and postal code speak of different places: a person has to look."""


def residence(address: str, postal_code: str, rule: Residency, municipalities: Municipalities) -> Residence:
    """The address decides; where it names no municipality, the postal code does; never against each other."""
    by_address = _names_ward(display(address), rule)
    codes = municipalities(postal_code)
    by_code = rule.ward in codes if codes else None
    if by_address is not None and by_code is not None and by_address != by_code:
        return Residence.CONTRADICTION
    lives_here = by_code if by_address is None else by_address
    return Residence.RESIDENT if lives_here else Residence.ELSEWHERE


def _names_ward(address: str, rule: Residency) -> bool | None:
    """True or False where the address names a municipality, None where it begins with a town."""
    plain = address.replace(" ", "")
    prefecture = _PREFECTURE.match(plain)
    rest = plain[prefecture.end() :] if prefecture else plain
    if prefecture and prefecture[0] != rule.prefecture:
        return False
    if rest.startswith(rule.ward):
        return True
    return False if _MUNICIPALITY.match(rest) else None
