"""Turn the errors of a draw into problems that tell the reader what to do next (RFC 9457)."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from services.lottery.draw.clock_check import ClocksDifferError
from services.lottery.draw.freeze import ListIncompleteError, TooEarlyError, VaultKeyUnknownError
from services.lottery.draw.randomness_entry import ObjectionsOpenError
from services.lottery.draw.rules.states import FurtherRoundRunningError, WrongStateError
from services.lottery.randomness.rounds import RoundPassedError
from services.lottery.randomness.sources import InvalidRandomnessError
from services.lottery.record.timestamps import InvalidTimestampError
from shared.approvals import ApprovalRefusedError
from shared.campaign import Campaign
from shared.errors import KujiError
from shared.ids import CampaignId
from shared.web import ProblemError, problem
from shared.web.approval_problem import approval_problem

T = TypeVar("T")

Problems = Mapping[type[KujiError], Callable[[Any], ProblemError]]
"""A problem for each kind of error."""


def known_campaign(campaigns: Mapping[CampaignId, Campaign], campaign: str) -> CampaignId:
    """Return the campaign's id. Raises ProblemError (404) when the service does not know the campaign."""
    if CampaignId(campaign) not in campaigns:
        raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
    return CampaignId(campaign)


def not_published() -> ProblemError:
    """Return the problem of something that does not exist yet."""
    return problem(
        "not-yet", 404, "まだ公開されていません", "抽選の進み具合を確かめてください。", en="Not published yet."
    )


async def raising_problems(operation: Awaitable[T], *, also: Problems = MappingProxyType({})) -> T:
    """Return the result of `operation`; raise its errors as problems. `also`: problems of the caller's folder."""
    try:
        return await operation
    except KujiError as error:
        raise (_problem(error, {**_PROBLEMS, **also}) or error) from None


def _problem(error: KujiError, problems: Problems) -> ProblemError | None:
    make = next((made for kind, made in problems.items() if isinstance(error, kind)), None)
    return make(error) if make else None


def _incomplete(error: ListIncompleteError) -> ProblemError:
    return problem(
        "list-incomplete",
        409,
        "未決定の申込みがあります",
        "確認待ちの申込みを決定してから、もう一度実行してください。",
        en="Decide what is held (`./kuji held`), or override with a reason that will stand in the manifest.",
        waiting_for=vars(error.readiness),
    )


def _too_early(_: TooEarlyError) -> ProblemError:
    return problem("too-early", 409, "受付期間が終わっていません", "受付期間の終了後に実行してください。")


def _objections(error: ObjectionsOpenError) -> ProblemError:
    return problem(
        "objections-open",
        409,
        "異議申立ての期間が終わっていません",
        "期間の終了後に、もう一度実行してください。",
        en="The list must stand in public until the time for objections is over.",
        until=error.until.isoformat(),
    )


def _wrong_state(error: WrongStateError) -> ProblemError:
    return problem(
        "wrong-state", 409, "この段階では実行できません", "抽選の状態を確かめてください。", state=error.state
    )


def _further_round(error: FurtherRoundRunningError) -> ProblemError:
    return problem(
        "further-round-running",
        409,
        "追加抽選の結果が出るまで、手続きはできません",
        "いまの席はそのままです。結果の公開後に、もう一度実行してください。",
        en="Places stay as they are until the further round is published; try again then.",
        state=error.state,
    )


def _bad_randomness(error: InvalidRandomnessError) -> ProblemError:
    text = "公開乱数の値と、抽選公告の回の番号を確かめてください。"
    return problem("bad-randomness", 422, "乱数が使えません", text, en=str(error))


def _bad_stamp(error: InvalidTimestampError) -> ProblemError:
    text = "ファイルを確かめてください。"
    return problem("bad-stamp", 422, "この抽選のタイムスタンプではありません", text, en=str(error))


def _round_passed(error: RoundPassedError) -> ProblemError:
    return problem(
        "beacon-round-passed",
        409,
        "公開乱数の回が早すぎます",
        "抽選の画面で「後の回で抽選する」を、ほかの人の承認を得て実行してください。",
        en="Begin the draw with a later round (`./kuji draw later-round`), which needs an approval.",
        round=error.round,
    )


def _vault_key_unknown(_: VaultKeyUnknownError) -> ProblemError:
    return problem(
        "vault-key-unknown",
        503,
        "金庫の公開鍵が登録されていません",
        "金庫の公開鍵（./kuji signing-key）を抽選の装置に登録してから、もう一度実行してください。",
        en="Pin the vault's public key (`./kuji signing-key`) in the file that KUJI_VAULT_KEY_FILE names.",
    )


def _clocks_differ(error: ClocksDifferError) -> ProblemError:
    return problem(
        "clocks-differ",
        503,
        "時計が合っていません",
        "抽選の装置とデータベースの時計を合わせてから、もう一度実行してください。",
        en="Set the clocks of this machine and of the database right (NTP), then try again.",
        seconds=error.seconds,
    )


_PROBLEMS: Final[Problems] = {
    ListIncompleteError: _incomplete,
    TooEarlyError: _too_early,
    ObjectionsOpenError: _objections,
    FurtherRoundRunningError: _further_round,
    WrongStateError: _wrong_state,
    InvalidRandomnessError: _bad_randomness,
    InvalidTimestampError: _bad_stamp,
    ApprovalRefusedError: approval_problem,
    RoundPassedError: _round_passed,
    ClocksDifferError: _clocks_differ,
    VaultKeyUnknownError: _vault_key_unknown,
}
