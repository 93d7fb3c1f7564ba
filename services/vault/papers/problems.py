"""Problem documents of the paper endpoints: what was refused and what to do next, without content."""

from collections.abc import Sequence
from typing import Final

from services.vault.papers.rules.states import PaperState
from shared.web import ProblemError, problem

_LOOKS: Final = {
    "held": (
        "ほかの人が入力しています",
        "次の書類を開いてください。",
        "Another browser holds this paper; take the next.",
    ),
    "not-held": (
        "この書類は画面に戻っていません",
        "10分を過ぎた書類はほかの人に回ります。次の書類を開いてください。",
        "This browser does not hold the paper (any more); take the next one.",
    ),
    "already-keyed": (
        "この書類はもう入力しました",
        "2回目は別の人が入力します。次の書類を開いてください。",
        "You keyed this paper before; a second person keys it, so take the next one.",
    ),
    "not-your-look": (
        "この書類はほかの人が確認します",
        "次の書類を開いてください。",
        "This look is for another person: a third one, or the responsible handler where there are two.",
    ),
    "agreed-changed": (
        "2人の入力が一致した項目は変えられません",
        "一致しなかった項目だけを決めてください。",
        "A resolution decides the fields that differ and changes no agreed one.",
    ),
}


def unknown_paper() -> ProblemError:
    """Return the answer about a paper that the campaign does not have, or that is never shown."""
    return problem(
        "unknown-paper",
        404,
        "書類がありません",
        "一覧を開き直し、書類のIDを確かめてください。",
        en="There is no such paper in this campaign, it was erased, or it is never shown; reload the list.",
    )


def no_picture() -> ProblemError:
    """Return the answer about a page that cannot be drawn."""
    return problem(
        "no-picture",
        404,
        "このページは表示できません",
        "書類番号で原本を探して入力してください。",
        en="This page cannot be drawn: key from the original with this serial number.",
    )


def not_your_look(reason: str) -> ProblemError:
    """Return the answer to a person who may not take the look; `reason` is a key of the table above."""
    title, detail, en = _LOOKS[reason]
    return problem(reason, 409, title, detail, en=en)


def already_settled(state: PaperState) -> ProblemError:
    """Return the answer about a paper that was settled otherwise before."""
    return problem(
        "already-settled",
        409,
        "すでに処理されています",
        "一覧を開き直してください。",
        en="Another handler keyed or discarded this paper before; reload the list.",
        state=state.value,
    )


def not_keyable(position: int, reasons: Sequence[str]) -> ProblemError:
    """Return the answer to content that is no application."""
    return problem(
        "not-keyable",
        422,
        "入力した内容が申込みの形になっていません",
        "書類と見比べて、入力をやり直してください。",
        en="The content at this `position` (from 0) is no application; compare it with the paper and key it again.",
        position=position,
        reasons=list(reasons),
    )
