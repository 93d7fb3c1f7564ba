"""Invented households and the second applications of their people, in eight kinds of noise. Seeded and pure.

Used to choose and to test the weights of the search for duplicates. One child in twenty is a twin: everything but the
given name is equal, and the two names often share a character.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from services.vault.identities.person import Person

_SURNAMES: Final = (
    "佐藤:サトウ 鈴木:スズキ 高橋:タカハシ 田中:タナカ 伊藤:イトウ 渡辺:ワタナベ 山本:ヤマモト "
    "中村:ナカムラ 小林:コバヤシ 加藤:カトウ 吉田:ヨシダ 山田:ヤマダ 佐々木:ササキ 山口:ヤマグチ "
    "松本:マツモト 井上:イノウエ 木村:キムラ 林:ハヤシ 斎藤:サイトウ 清水:シミズ 山崎:ヤマザキ 森:モリ "
    "池田:イケダ 橋本:ハシモト 阿部:アベ 石川:イシカワ 山下:ヤマシタ 中島:ナカジマ 石井:イシイ "
    "小川:オガワ 前田:マエダ 岡田:オカダ 長谷川:ハセガワ 藤田:フジタ 後藤:ゴトウ 近藤:コンドウ "
    "村上:ムラカミ 遠藤:エンドウ 青木:アオキ 坂本:サカモト 福田:フクダ 太田:オオタ 西村:ニシムラ "
    "藤井:フジイ 金子:カネコ 岡本:オカモト 藤原:フジワラ 三浦:ミウラ 中野:ナカノ 原田:ハラダ 松田:マツダ "
    "竹内:タケウチ 上田:ウエダ 黒田:クロダ 中山:ナカヤマ 和田:ワダ 石田:イシダ 森田:モリタ 小沢:オザワ "
    "浜田:ハマダ 沢田:サワダ 広瀬:ヒロセ 宝田:タカラダ 桜井:サクライ"
)
SURNAMES: Final = tuple(row.split(":") for row in _SURNAMES.split())
_GIVEN: Final = (
    "蓮:レン 湊:ミナト 樹:イツキ 悠真:ユウマ 颯太:ソウタ 翔太:ショウタ 健太:ケンタ 大輔:ダイスケ "
    "拓也:タクヤ 直樹:ナオキ 一郎:イチロウ 二郎:ジロウ 三郎:サブロウ 健一:ケンイチ 健二:ケンジ 浩:ヒロシ "
    "誠:マコト 学:マナブ 隆:タカシ 進:ススム 恵子:ケイコ 智子:トモコ 陽子:ヨウコ 裕子:ユウコ 直美:ナオミ "
    "久美子:クミコ 由美:ユミ 真由美:マユミ 花子:ハナコ 美咲:ミサキ 美桜:ミオ 結菜:ユイナ 結衣:ユイ "
    "葵:アオイ 凛:リン 紬:ツムギ 芽依:メイ 咲良:サクラ 愛:アイ 彩:アヤ 舞:マイ 優:ユウ 桃子:モモコ "
    "真央:マオ 千尋:チヒロ 和也:カズヤ 達也:タツヤ 哲也:テツヤ 修:オサム 実:ミノル 茂:シゲル 清:キヨシ "
    "正:タダシ 剛:ツヨシ さくら:サクラ ひなた:ヒナタ あかり:アカリ 海斗:カイト 陸:リク 空:ソラ "
    "悠斗:ユウト 大和:ヤマト 勇気:ユウキ 光:ヒカル 栄一:エイイチ"
)
GIVEN: Final = tuple(row.split(":") for row in _GIVEN.split())
TWINS: Final = (
    ("一郎", "二郎"),
    ("健一", "健二"),
    ("美咲", "美桜"),
    ("結菜", "結衣"),
    ("達也", "哲也"),
    ("悠真", "悠斗"),
)
_OLD: Final = str.maketrans(
    "高橋崎辺斎沢広桜恵真学国島浜吉栄宝黒竜渡井々", "髙𣘺﨑邉齋澤廣櫻惠眞學國嶋濱𠮷榮寶黑龍渡井々"
)
_TOWNS: Final = (
    ("1600023", "西新宿", 8), ("1600022", "新宿", 7), ("1690075", "高田馬場", 4), ("1690072", "大久保", 3),
    ("1610033", "下落合", 4), ("1620825", "神楽坂", 6), ("1620053", "原町", 3), ("1600004", "四谷", 4),
)  # fmt: skip
_GRADES: Final = ("p1", "p2", "p3", "p4", "p5", "p6", "j1", "j2", "j3")
_DOMAINS: Final = ("docomo.example", "gmail.example", "yahoo.example", "icloud.example")


@dataclass(frozen=True)
class Applicant:
    """One application: `who` is the number of the person, the same for a second application."""

    who: int
    person: Person
    kana: str


@dataclass(frozen=True)
class Population:
    """Applications, and the pairs that come from one person."""

    applicants: tuple[Applicant, ...]

    @property
    def pairs(self) -> frozenset[tuple[int, int]]:
        """Indices of two applications of one person, the lower first."""
        first: dict[int, int] = {}
        found = set()
        for index, applicant in enumerate(self.applicants):
            if applicant.who in first:
                found.add((first[applicant.who], index))
            first.setdefault(applicant.who, index)
        return frozenset(found)


def invent(seed: int, size: int = 2000, again: int = 120) -> Population:
    """Return `size` applications of households and `again` second applications of some of their people."""
    dice = random.Random(seed)  # noqa: S311  (people, not keys)
    firsts: list[Applicant] = []
    while len(firsts) < size:
        firsts += [Applicant(len(firsts) + index, one, kana) for index, (one, kana) in enumerate(_household(dice))]
    firsts = firsts[:size]
    seconds = [_again(dice, one) for one in dice.sample(firsts, again)]
    return Population((*firsts, *seconds))


def _household(dice: random.Random) -> Iterator[tuple[Person, str]]:
    surname, kana = dice.choice(SURNAMES)
    parent, parent_kana = dice.choice(GIVEN)
    code, town, chomes = dice.choice(_TOWNS)
    room = f" コーポ{town} {dice.randint(1, 12)}{dice.randint(1, 12):02d}号室" if dice.random() < 0.7 else ""
    numbers = f"{dice.randint(1, chomes)}-{dice.randint(1, 40)}-{dice.randint(1, 30)}"
    mail = f"{dice.choice('abcdefghij')}{dice.randrange(10**5)}@{dice.choice(_DOMAINS)}"
    base = Person(
        name=f"{surname} {parent}",
        postal_code=code,
        address=f"東京都新宿区{town}{numbers}{room}",
        phone=_phone(dice),
        age=dice.randint(25, 60),
        grade=None,
        email=mail if dice.random() < 0.7 else None,
        guardian_name=None,
    )
    if dice.random() < 0.5:
        yield base, f"{kana} {parent_kana}"
    children = dice.choices((0, 1, 2, 3), weights=(25, 40, 28, 7))[0]
    names = dice.sample([row for row in GIVEN if row[0] != parent], children)
    grades = [dice.choice(_GRADES) for _ in names]
    if children and dice.random() < 0.04:
        names, grades = _twins(dice), [grades[0]] * 2
    for (given, given_kana), grade in zip(names, grades, strict=True):
        child = replace(base, name=f"{surname} {given}", age=None, grade=grade, guardian_name=base.name)
        yield child, f"{kana} {given_kana}"


def _twins(dice: random.Random) -> list[list[str]]:
    chosen = dice.choice(TWINS) if dice.random() < 0.6 else tuple(row[0] for row in dice.sample(GIVEN, 2))
    return [next(row for row in GIVEN if row[0] == name) for name in chosen]


def _again(dice: random.Random, first: Applicant) -> Applicant:
    kinds = dice.sample(NOISE, dice.choices((1, 2), weights=(70, 30))[0])
    person = first.person
    if {_other_phone, _moved} <= set(kinds):  # nothing of a household would be left
        kinds = [_other_phone]
    for kind in kinds:
        person = kind(dice, person, first.kana)
    return replace(first, person=person)


def _old_characters(_: random.Random, person: Person, __: str) -> Person:
    """Write the name in rare and old characters, with another blank."""
    return replace(person, name=person.name.translate(_OLD).replace(" ", "　"))


def _kana(_: random.Random, person: Person, kana: str) -> Person:
    return replace(person, name=kana)


def _address_writing(dice: random.Random, person: Person, _: str) -> Person:
    """Write the address without prefecture and ward, with kanji numerals, full-width digits, or without the room."""
    local = person.address.removeprefix("東京都新宿区")
    return replace(
        person,
        address=dice.choice(
            (
                local,
                _counted(local),
                local.translate(str.maketrans("0123456789-", "０１２３４５６７８９－")),
                person.address.split(" ")[0],
            )
        ),
    )


def _counted(local: str) -> str:
    """Return 西新宿二丁目8番1号 for 西新宿2-8-1."""
    where, _, rest = local.partition(" ")
    chome, ban, go = where.lstrip("".join(town for _, town, _ in _TOWNS)).split("-")
    town = where[: len(where) - len(f"{chome}-{ban}-{go}")]
    return f"{town}{'〇一二三四五六七八'[int(chome)]}丁目{ban}番{go}号 {rest}".strip()


def _other_phone(dice: random.Random, person: Person, _: str) -> Person:
    return replace(person, phone=_phone(dice))


def _other_mail(dice: random.Random, person: Person, _: str) -> Person:
    mail = f"x{dice.randrange(10**5)}@{dice.choice(_DOMAINS)}"
    return replace(person, email=None if person.email and dice.random() < 0.5 else mail)


def _moved(dice: random.Random, person: Person, _: str) -> Person:
    code, town, chomes = dice.choice(_TOWNS)
    address = f"東京都新宿区{town}{dice.randint(1, chomes)}-{dice.randint(1, 40)}-{dice.randint(1, 30)}"
    return replace(person, postal_code=code, address=address)


def _slip(dice: random.Random, person: Person, _: str) -> Person:
    """Exchange two neighbouring digits of the telephone, or get one digit of it wrong."""
    place = dice.randint(4, len(person.phone) - 2)
    before, one, two, after = (
        person.phone[:place],
        person.phone[place],
        person.phone[place + 1],
        person.phone[place + 2 :],
    )
    if one == two or dice.random() < 0.5:
        return replace(person, phone=f"{before}{(int(one) + 1) % 10}{two}{after}")
    return replace(person, phone=f"{before}{two}{one}{after}")


def _age(dice: random.Random, person: Person, _: str) -> Person:
    """Have a birthday between, or name another parent as guardian."""
    if person.age is not None:
        return replace(person, age=person.age + 1)
    surname = (person.guardian_name or "").split(" ")[0]
    return replace(person, guardian_name=f"{surname} {dice.choice(GIVEN)[0]}")


NOISE: Final[tuple[Callable[[random.Random, Person, str], Person], ...]] = (
    _old_characters, _kana, _address_writing, _other_phone, _other_mail, _moved, _slip, _age,
)  # fmt: skip
"""Eight kinds of noise of a second application."""


def _phone(dice: random.Random) -> str:
    return f"{dice.choice(('090', '080', '070'))}0{dice.randrange(10**7):07d}"
