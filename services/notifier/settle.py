"""Decide on a notice in a handler's name: the new state and the act for the audit log are one transaction."""

from collections.abc import Mapping
from typing import Final

from services.notifier.repository import NoticeRepository
from services.notifier.rules.states import NoticeState
from services.notifier.wall_clock import wall_now
from shared.contracts import StaffAct
from shared.ids import CampaignId, NoticeId
from shared.staff_acts import record_act
from shared.storage import Store, UnitOfWork

_ACTS: Final[Mapping[NoticeState, StaffAct]] = {
    NoticeState.SENT: StaffAct.CONFIRM_NOTICE_SENT,
    NoticeState.TO_PRINT: StaffAct.SEND_NOTICE_BY_POST,
    NoticeState.PHONED: StaffAct.CONFIRM_TELEPHONED,
    NoticeState.PENDING: StaffAct.SEND_NOTICE_AGAIN,
}


async def settle_notice(store: Store, campaign: CampaignId, notice: NoticeId, to: NoticeState, actor: str) -> bool:
    """Move a notice on by a handler's decision, and record it. Return False if its state does not allow it now."""

    async def decide(uow: UnitOfWork) -> bool:
        is_decided = await NoticeRepository.within(uow).decide(campaign, notice, to, actor, wall_now())
        if is_decided:
            await record_act(uow, "notifier", _ACTS[to], actor, notice, campaign)
        return is_decided

    return await store.transact(decide)
