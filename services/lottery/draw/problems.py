"""The refusals of a draw as problems that say what to do next (RFC 9457)."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from services.lottery.draw.clock_check import ClocksDiffer
from services.lottery.draw.redraw import SamePerson
from services.lottery.draw.transitions import NotYet, ObjectionsOpen, TooEarly, WrongState
from services.lottery.randomness.rounds import RoundPassed
from services.lottery.randomness.sources import BadRandomness
from services.lottery.record.timestamps import BadStamp
from shared.campaign import Campaign
from shared.errors import KujiError
from shared.ids import CampaignId
from shared.web import ProblemError, problem

T = TypeVar("T")

Problems = Mapping[type[KujiError], Callable[[Any], ProblemError]]
"""A problem for each kind of error."""


def known(campaigns: Mapping[CampaignId, Campaign], campaign: str) -> CampaignId:
    if CampaignId(campaign) not in campaigns:
        raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
    return CampaignId(campaign)


def not_published() -> ProblemError:
    return problem(
        "not-yet", 404, "まだ公開されていません", "抽選の進み具合を確かめてください。", en="Not published yet."
    )


def unknown_receipt() -> ProblemError:
    return problem(
        "receipt-unknown",
        404,
        "抽選の対象となる受付番号ではありません",
        "受付番号を確かめてください。受付できなかった申込みは、申込状況の画面で理由が分かります。",
        en="No entry of the draw has this number. The status page tells why an application was refused.",
    )


def second_person() -> ProblemError:
    return problem(
        "second-person",
        422,
        "もう一人の承認が必要です",
        "承認者として別の担当者を指定してください。",
        en="This needs a second, different person in `approved_by`.",
    )


async def refusing(step: Awaitable[T], *, also: Problems = MappingProxyType({})) -> T:
    """Await `step` and return its result; raise its refusal as a problem. `also`: problems of the caller's folder."""
    try:
        return await step
    except KujiError as error:
        raise (_problem(error, {**_PROBLEMS, **also}) or error) from None


def _problem(error: KujiError, problems: Problems) -> ProblemError | None:
    make = next((made for kind, made in problems.items() if isinstance(error, kind)), None)
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


_PROBLEMS: Final[Problems] = {
    NotYet: _incomplete,
    TooEarly: _too_early,
    ObjectionsOpen: _objections,
    WrongState: _wrong_state,
    BadRandomness: _bad_randomness,
    BadStamp: _bad_stamp,
    SamePerson: _same_person,
    RoundPassed: _round_passed,
    ClocksDiffer: _clocks_differ,
}
