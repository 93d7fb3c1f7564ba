"""Reasons of refusals and what an applicant can do about them, by reason code, in both languages. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Bilingual:
    """One sentence in Japanese and English."""

    text: str
    text_en: str


REASONS: Final[Mapping[str, Bilingual]] = {
    "grade": Bilingual("学年が対象外です", "not for this school grade"),
    "age": Bilingual("年齢が対象外です", "not for this age"),
    "seats": Bilingual("申込人数が対象外です", "not for this number of people"),
    "not-resident": Bilingual("区内にお住まいの方が対象です", "open to residents of the ward only"),
    "guardian-missing": Bilingual("保護者氏名の記入がありません", "the guardian's name is missing"),
    "guardian-not-allowed": Bilingual("20歳以上の方は保護者氏名が不要です", "no guardian's name is needed from age 20"),
    "class-unknown": Bilingual("この催しにない教室が含まれています", "a class was named that does not exist"),
    "channel-email": Bilingual(
        "メールアドレスは専用サイトからのみ受け付けます", "e-mail addresses are taken on the site only"
    ),
    "withdrawn": Bilingual("申込みの取下げを受け付けました", "the application was withdrawn, as you asked"),
    "duplicate": Bilingual("同じ方の別の申込みを受け付けています", "another application of the same person stands"),
}

OTHER_REASON: Final = Bilingual("申込みの条件を満たしていません", "the conditions are not met")

_CORRECTIONS: Final[Mapping[str, Bilingual]] = {
    "grade": Bilingual("対象となる教室を選び直して", "choose classes that are open to you"),
    "age": Bilingual("対象となる教室を選び直して", "choose classes that are open to you"),
    "seats": Bilingual("人数を直して", "correct the number of people"),
    "not-resident": Bilingual("住所の書き誤りを直して", "correct the address, if it was mistyped"),
    "guardian-missing": Bilingual("保護者氏名を記入して", "write the guardian's name"),
    "guardian-not-allowed": Bilingual("保護者氏名を書かずに", "leave the guardian's name out"),
    "class-unknown": Bilingual("教室を選び直して", "choose the classes again"),
    "channel-email": Bilingual("メールアドレスを書かずに", "leave the e-mail address out"),
}
"""Changes that make a new application possible, as the beginning of a sentence."""

_OTHERS_STAND: Final = Bilingual(
    "ほかに受け付けた申込みがあるときは、そちらには影響しません。",
    "Other applications that were accepted are not affected.",
)
_CLOSED: Final = Bilingual(
    "受付は終わりました。この申込みについてのお手続きはありません。",
    "Applications are closed. There is nothing to do about this application.",
)
_DUPLICATE: Final = (
    Bilingual(
        "別の申込みが有効です。この申込みについてのお手続きはありません。",
        "The other application counts. There is nothing to do about this one.",
    ),
    Bilingual(
        "別の申込みに心当たりがないときは、下記へお電話ください。",
        "If you know of no other application, please call the office.",
    ),
)
_WITHDRAWN: Final = Bilingual(
    "取下げに心当たりがないときは、下記へお電話ください。",
    "If it was not you who withdrew it, please call the office.",
)
_ASK: Final = Bilingual("くわしくは、下記へお電話ください。", "Please call the office for the details.")


def _again(closes: Bilingual | None) -> list[Bilingual]:
    """Return that a withdrawn application can be made again, while applications are taken."""
    if closes is None:
        return [_CLOSED]
    return [
        Bilingual(
            f"{closes.text}までに、受付番号と確認コードで、改めて申し込むことができます。",
            f"You may apply again before {closes.text_en}, with receipt number and code.",
        )
    ]


def reason_text(code: str | None) -> Bilingual:
    """Return the text of a reason code, or a general text for codes without one."""
    return REASONS.get(code or "", OTHER_REASON)


def advise(codes: Iterable[str], closes: Bilingual | None) -> list[Bilingual]:
    """Return what still counts and what the applicant can do.

    `codes`: reasons of the refusal; `closes`: end of the application window as text, None after it has ended.
    """
    reasons = list(dict.fromkeys(codes))
    if "duplicate" in reasons:
        return list(_DUPLICATE)
    if "withdrawn" in reasons:
        return [*_again(closes), _WITHDRAWN]
    if not reasons or not all(code in _CORRECTIONS for code in reasons):
        return [_ASK, _OTHERS_STAND]
    if closes is None:
        return [_CLOSED, _OTHERS_STAND]
    corrections = list(dict.fromkeys(_CORRECTIONS[code] for code in reasons))
    return [
        Bilingual(
            f"{closes.text}までに、{'、'.join(change.text for change in corrections)}、改めて申し込むことができます。",
            f"You may apply again before {closes.text_en}: {'; '.join(change.text_en for change in corrections)}.",
        ),
        _OTHERS_STAND,
    ]
