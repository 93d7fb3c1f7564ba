"""Where the demo's people live: real postal codes and towns, made-up numbers, written as people write them."""

import random
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Town:
    """A town of Japan Post's table; `chome` 0 where the town is not divided."""

    postal_code: str
    prefecture: str
    city: str
    name: str
    chome: int


def _towns(prefecture: str, city: str, *rows: tuple[str, str, int]) -> tuple[Town, ...]:
    return tuple(Town(code, prefecture, city, name, chome) for code, name, chome in rows)


WARD_TOWNS: Final = _towns(
    "東京都",
    "新宿区",
    ("1600021", "歌舞伎町", 2),
    ("1600022", "新宿", 7),
    ("1600023", "西新宿", 8),
    ("1600004", "四谷", 4),
    ("1600011", "若葉", 3),
    ("1600007", "荒木町", 0),
    ("1600005", "愛住町", 0),
    ("1600015", "大京町", 0),
    ("1600016", "信濃町", 0),
    ("1610031", "西落合", 4),
    ("1610032", "中落合", 4),
    ("1610033", "下落合", 4),
    ("1610034", "上落合", 3),
    ("1610035", "中井", 2),
    ("1620053", "原町", 3),
    ("1620055", "余丁町", 0),
    ("1620056", "若松町", 0),
    ("1620062", "市谷加賀町", 3),
    ("1620061", "市谷柳町", 0),
    ("1620805", "矢来町", 0),
    ("1620825", "神楽坂", 6),
    ("1620041", "早稲田鶴巻町", 0),
    ("1620837", "納戸町", 0),
    ("1620851", "弁天町", 0),
    ("1690072", "大久保", 3),
    ("1690073", "百人町", 4),
    ("1690074", "北新宿", 4),
    ("1690075", "高田馬場", 4),
)

OTHER_TOWNS: Final = (
    *_towns("東京都", "中野区", ("1640001", "中野", 6), ("1640003", "東中野", 5)),
    *_towns("東京都", "渋谷区", ("1510053", "代々木", 5), ("1500001", "神宮前", 6)),
    *_towns("東京都", "豊島区", ("1710021", "西池袋", 5)),
    *_towns("東京都", "武蔵野市", ("1800004", "吉祥寺本町", 4)),
    *_towns("神奈川県", "川崎市中原区", ("2110063", "小杉町", 3)),
)

BANS: Final = 40
"""Blocks of a chome, each with thirty houses."""
_BUILDINGS: Final = ("コーポ", "メゾン", "ハイツ", "グランド", "ｺｰﾎﾟ", "パーク", "レジデンス")
_KANJI_DIGITS: Final = "〇一二三四五六七八"
_FULL_WIDTH: Final = str.maketrans("0123456789-", "０１２３４５６７８９－")


@dataclass(frozen=True)
class Home:
    """One dwelling, as facts; `written` gives one of the many ways to write it. `room` is empty for a house."""

    town: Town
    chome: int
    ban: int
    go: int
    building: str
    room: str

    def written(self, style: int) -> str:
        """Return the address in one of five styles (`style` modulo 5); all styles name the same dwelling."""
        town, place = self.town, f"{self.building} {self.room}号室" if self.room else self.building
        ward = town.city if style % 5 == 2 else town.prefecture + town.city  # noqa: PLR2004  (the third style)
        numbers = "-".join(str(number) for number in (self.chome, self.ban, self.go) if number)
        formal = (f"{self.chome}丁目" if self.chome else "") + f"{self.ban}番{self.go}号"
        kanji = (f"{_KANJI_DIGITS[self.chome]}丁目" if self.chome else "") + f"{self.ban}番{self.go}号"
        number = (formal, numbers, numbers, numbers.translate(_FULL_WIDTH), kanji)[style % 5]
        return f"{ward}{town.name}{number}" + (f" {place}" if place else "")


def make_home(dice: random.Random, towns: tuple[Town, ...], canary: str) -> Home:
    """Make an invented dwelling in a real town. The canary, if given, becomes part of the building's name."""
    town = dice.choice(towns)
    flat = bool(canary) or dice.random() < 0.7  # noqa: PLR2004  (most of the ward lives in flats)
    room = f"{dice.randint(1, 14)}{dice.randint(1, 12):02d}" if flat else ""
    building = f"{dice.choice(_BUILDINGS)}{canary}{town.name}" if flat else ""
    chome = dice.randint(1, town.chome) if town.chome else 0
    return Home(town, chome, dice.randint(1, BANS), dice.randint(1, 30), building, room)
