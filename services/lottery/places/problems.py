"""Errors of places as problem documents (RFC 9457)."""

from collections.abc import Awaitable
from typing import Final, TypeVar

from services.lottery.draw import problems
from services.lottery.places.corrections import UnknownContactError
from services.lottery.places.moves import NoSuchPlaceError
from services.lottery.places.ownership import WrongProofError
from services.lottery.promotion.waiting_list import InvalidMoveError
from shared.web import ProblemError, problem

T = TypeVar("T")


async def refusing(step: Awaitable[T]) -> T:
    """Await `step` and return its result; raise a refusal of a draw or of a place as a problem."""
    return await problems.raising_problems(step, also=_PROBLEMS)


def _bad_move(error: InvalidMoveError) -> ProblemError:
    return problem(
        "not-possible",
        409,
        "この手続きは、いまはできません",
        "席の状態を確かめてください。",
        en=f"Look at the place again: {error}.",
    )


def _no_place(_: NoSuchPlaceError) -> ProblemError:
    return problem(
        "no-such-place",
        404,
        "該当する席がありません",
        "受付番号と教室を確かめてください。",
        en="Check receipt number and class.",
    )


def _no_contact(_: UnknownContactError) -> ProblemError:
    return problem(
        "no-contact",
        409,
        "この申込みには、お知らせを送ることができません",
        "判定の記録がありません。抽選のやり直し（redraw）を検討してください。",
        en="The vault gave no verdict with a contact for this application; consider a redraw.",
    )


def _not_yours(_: WrongProofError) -> ProblemError:
    return problem(
        "not-yours",
        403,
        "番号と確認コードの組合せが正しくありません",
        "受付番号または抽選番号と確認コードを、もう一度入力してください。",
        en="Type receipt number or entry number, and the code, once more.",
    )


def too_many(wait_s: int) -> ProblemError:
    """Return the problem of an address that sent too many wrong proofs."""
    return problem(
        "too-many-requests",
        429,
        "確認コードの誤りが続きました",
        "しばらく待ってから、もう一度入力してください。",
        en="Too many wrong codes from this address; wait a few minutes.",
        headers={"Retry-After": str(wait_s)},
    )


_PROBLEMS: Final[problems.Problems] = {
    InvalidMoveError: _bad_move,
    NoSuchPlaceError: _no_place,
    UnknownContactError: _no_contact,
    WrongProofError: _not_yours,
}
