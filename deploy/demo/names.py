"""The demo's names: common ones, those whose characters trip software (髙﨑邉𠮷), and half-width forms."""

import random
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class NamePart:
    """A surname or given name: written form, reading in katakana, reading in Latin letters for mailboxes."""

    written: str
    kana: str
    latin: str


def _parts(*rows: str) -> tuple[NamePart, ...]:
    return tuple(NamePart(*row.split()) for row in rows)


SURNAMES: Final = _parts(
    "佐藤 サトウ sato", "鈴木 スズキ suzuki", "髙橋 タカハシ takahashi", "高橋 タカハシ takahashi",
    "田中 タナカ tanaka", "渡邉 ワタナベ watanabe", "渡邊 ワタナベ watanabe", "伊藤 イトウ ito",
    "山﨑 ヤマザキ yamazaki", "山崎 ヤマザキ yamazaki", "𠮷田 ヨシダ yoshida", "吉田 ヨシダ yoshida",
    "中村 ナカムラ nakamura", "小林 コバヤシ kobayashi", "加藤 カトウ kato", "齋藤 サイトウ saito",
    "斉藤 サイトウ saito", "𠮷野 ヨシノ yoshino", "濵田 ハマダ hamada", "松本 マツモト matsumoto",
    "井上 イノウエ inoue", "木村 キムラ kimura", "林 ハヤシ hayashi", "清水 シミズ shimizu",
    "長﨑 ナガサキ nagasaki", "阿部 アベ abe", "森 モリ mori", "池田 イケダ ikeda",
    "橋本 ハシモト hashimoto", "五十嵐 イガラシ igarashi", "勅使河原 テシガワラ teshigawara", "李 リ lee",
    "グエン グエン nguyen", "スミス スミス smith",
)  # fmt: skip

CHILDREN: Final = _parts(
    "蓮 レン ren", "陽葵 ヒマリ himari", "湊 ミナト minato", "凛 リン rin", "樹 イツキ itsuki",
    "紬 ツムギ tsumugi", "大翔 ヒロト hiroto", "結菜 ユイナ yuina", "悠真 ユウマ yuma", "咲希 サキ saki",
    "朝陽 アサヒ asahi", "芽依 メイ mei", "蒼 アオ ao", "美桜 ミオ mio", "颯太 ソウタ sota", "さくら サクラコ sakurako",
)  # fmt: skip

ADULTS: Final = _parts(
    "一郎 イチロウ ichiro", "恵子 ケイコ keiko", "健太 ケンタ kenta", "直美 ナオミ naomi", "誠 マコト makoto",
    "久美子 クミコ kumiko", "剛 ツヨシ tsuyoshi", "真由美 マユミ mayumi", "隆 タカシ takashi", "裕子 ユウコ yuko",
    "大輔 ダイスケ daisuke", "陽子 ヨウコ yoko", "哲也 テツヤ tetsuya", "智子 トモコ tomoko",
)  # fmt: skip

_WIDE: Final = (
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォッャュョー"
)
_HALF: Final = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｯｬｭｮｰ"
_VOICED: Final = dict(zip("ガギグゲゴザジズゼゾダヂヅデドバビブベボ", "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ", strict=True))
_PLAIN: Final = str.maketrans("髙﨑邉邊𠮷濵齋", "高崎辺辺吉浜斎")
_HALF_VOICED: Final = dict(zip("パピプペポ", "ﾊﾋﾌﾍﾎ", strict=True))


def half_width(kana: str) -> str:
    """Katakana as old machines and some phones send it (JIS X 0201): voiced syllables take two characters."""
    halves = {
        **dict(zip(_WIDE, _HALF, strict=True)),
        **{full: base + "ﾞ" for full, base in _VOICED.items()},
        **{full: base + "ﾟ" for full, base in _HALF_VOICED.items()},
    }
    return "".join(halves.get(each, each) for each in kana)


def in_plain_characters(name: str) -> str:
    """Replace rare variants (髙, 𠮷) by the common characters (高, 吉), as the same person may type the name."""
    return name.translate(_PLAIN)


@dataclass(frozen=True)
class Name:
    """One person's name; `mark` (a canary) stands right behind the surname in every form."""

    surname: NamePart
    given: NamePart
    mark: str

    def in_characters(self, space: str = " ") -> str:
        return f"{self.surname.written}{self.mark}{space}{self.given.written}"

    def in_kana(self) -> str:
        return f"{self.surname.kana}{self.mark} {self.given.kana}"

    def in_half_width(self) -> str:
        return f"{half_width(self.surname.kana)}{self.mark} {half_width(self.given.kana)}"


def choose_spelling(dice: random.Random) -> int:
    """Choose a spelling: usually kanji with or without a space (0 to 2), sometimes kana (3) or half-width kana (4)."""
    return dice.choices(range(5), weights=(50, 25, 10, 8, 7))[0]


def spell(name: Name, spelling: int) -> str:
    """Return the name in the chosen spelling."""
    forms = (
        name.in_characters(),
        name.in_characters("　"),
        name.in_characters(""),
        name.in_kana(),
        name.in_half_width(),
    )
    return forms[spelling]
