"""The refusals of a draw as problems that say what to do next (RFC 9457)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from services.lottery.clocks import ClocksDiffer
from services.lottery.places.moving import NoSuchPlace
from services.lottery.places.owners import WINDOW_S, NotYours, TooManyTries
from services.lottery.places.promotion import BadMove
from services.lottery.randomness import BadRandomness
from services.lottery.redrawing import SamePerson
from services.lottery.rounds import RoundPassed
from services.lottery.stamps import BadStamp
from services.lottery.steps import NotYet, ObjectionsOpen, TooEarly, WrongState
from shared.campaign import Campaign
from shared.errors import KujiError
from shared.ids import CampaignId
from shared.web import ProblemError, problem

T = TypeVar("T")


def known(campaigns: Mapping[CampaignId, Campaign], campaign: str) -> CampaignId:
    if CampaignId(campaign) not in campaigns:
        raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
    return CampaignId(campaign)


def not_published() -> ProblemError:
    return problem(
        "not-yet", 404, "まだ公開されていません", "抽選の進み具合を確かめてください。", en="Not published yet."
    )


def second_person() -> ProblemError:
    return problem(
        "second-person",
        422,
        "もう一人の承認が必要です",
        "承認者として別の担当者を指定してください。",
        en="This needs a second, different person in `approved_by`.",
    )


async def refusing(step: Awaitable[T]) -> T:
    """What the step gives, or its refusal as a problem."""
    try:
        return await step
    except KujiError as error:
        raise (_problem(error) or error) from None


def _problem(error: KujiError) -> ProblemError | None:
    make = next((made for kind, made in _PROBLEMS.items() if isinstance(error, kind)), None)
    return make(error) if make else None


def _incomplete(error: NotYet) -> ProblemError:
    return problem(
        "list-incomplete",
        409,
        "未決定の申込みがあります",
        "確認待ちの申込みを決定してから、もう一度実行してください。",
        en="Decide what is held (`./kuji held`), or override with a reason that will stand in the manifest.",
        waiting_for=vars(error.readiness),
    )


def _too_early(_: TooEarly) -> ProblemError:
    return problem("too-early", 409, "受付期間が終わっていません", "受付期間の終了後に実行してください。")


def _objections(error: ObjectionsOpen) -> ProblemError:
    return problem(
        "objections-open",
        409,
        "異議申立ての期間が終わっていません",
        "期間の終了後に、もう一度実行してください。",
        en="The list must stand in public until the time for objections is over.",
        until=error.until.isoformat(),
    )


def _wrong_state(error: WrongState) -> ProblemError:
    return problem(
        "wrong-state", 409, "この段階では実行できません", "抽選の状態を確かめてください。", state=error.state
    )


def _bad_randomness(error: BadRandomness) -> ProblemError:
    text = "読み上げた数字と立会人を確かめてください。"
    return problem("bad-randomness", 422, "乱数が使えません", text, en=str(error))


def _bad_stamp(error: BadStamp) -> ProblemError:
    text = "ファイルを確かめてください。"
    return problem("bad-stamp", 422, "この抽選のタイムスタンプではありません", text, en=str(error))


def _round_passed(error: RoundPassed) -> ProblemError:
    return problem(
        "beacon-round-passed",
        409,
        "公開乱数の回が早すぎます",
        "募集ファイルの draw.beacon.round を、異議申立ての期間より後の回に改め、抽選の装置を起動し直してください。",
        en="Put a later round into the campaign file (`draw.beacon.round`) and start the lottery again.",
        round=error.round,
    )


def _clocks_differ(error: ClocksDiffer) -> ProblemError:
    return problem(
        "clocks-differ",
        503,
        "時計が合っていません",
        "抽選の装置とデータベースの時計を合わせてから、もう一度実行してください。",
        en="Set the clocks of this machine and of the database right (NTP), then try again.",
        seconds=error.seconds,
    )


def _same_person(_: SamePerson) -> ProblemError:
    return second_person()


def _bad_move(error: BadMove) -> ProblemError:
    return problem(
        "not-possible",
        409,
        "この手続きは、いまはできません",
        "席の状態を確かめてください。",
        en=f"Look at the place again: {error}.",
    )


def _no_place(_: NoSuchPlace) -> ProblemError:
    return problem(
        "no-such-place",
        404,
        "該当する席がありません",
        "受付番号と教室を確かめてください。",
        en="Check receipt number and class.",
    )


def _not_yours(_: NotYours) -> ProblemError:
    return problem(
        "not-yours",
        403,
        "受付番号と確認コードの組合せが正しくありません",
        "お知らせに記載の受付番号と確認コードを、もう一度入力してください。",
        en="Type receipt number and code as the notice says them.",
    )


def _too_many(_: TooManyTries) -> ProblemError:
    return problem(
        "too-many-requests",
        429,
        "確認コードの誤りが続きました",
        "10分ほど待ってから、もう一度入力してください。",
        en="Too many wrong codes; wait ten minutes.",
        headers={"Retry-After": str(int(WINDOW_S))},
    )


_PROBLEMS: Final[Mapping[type[KujiError], Callable[[Any], ProblemError]]] = {
    NotYet: _incomplete,
    TooEarly: _too_early,
    ObjectionsOpen: _objections,
    WrongState: _wrong_state,
    BadRandomness: _bad_randomness,
    BadStamp: _bad_stamp,
    SamePerson: _same_person,
    RoundPassed: _round_passed,
    ClocksDiffer: _clocks_differ,
    BadMove: _bad_move,
    NoSuchPlace: _no_place,
    NotYours: _not_yours,
    TooManyTries: _too_many,
}
