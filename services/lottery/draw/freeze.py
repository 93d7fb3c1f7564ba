"""Freeze the list of a draw: fix and sign entries, rules and sources of randomness before any randomness exists.

First the list is closed, in one write that succeeds only if no entry has changed since the list was found complete;
from then on a late verdict is refused. Then the list is written down and signed. If a process dies in between, another
one finishes and comes to the same list.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.lottery.draw.approval_params import params_of_freeze
from services.lottery.draw.clock_check import check_clocks
from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.roll_repository import RollRepository
from services.lottery.draw.rules.blockers import Readiness
from services.lottery.draw.rules.draw import Closing, Draw
from services.lottery.draw.rules.states import DRAW_STATES, DrawState, WrongStateError
from services.lottery.keys import LotteryKeys
from services.lottery.randomness.rounds import choose_round
from services.lottery.record.manifest import EntryCounts, Manifest, Override, receipts_of, write_manifest
from services.lottery.record.transcript import make_history_event
from shared.approvals import ApprovalKind
from shared.approvals.presented import PresentedApproval
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import DiceRequested, StaffAct
from shared.errors import KujiError, TransientError
from shared.ids import CampaignId, derived_event_id
from shared.logging import get_logger
from shared.pinned_keys import PinnedKeys
from shared.receipt_documents import write_roll
from shared.staff_acts import record_act
from shared.staff_roles import Role
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

_ATTEMPTS: Final = 20


class ListIncompleteError(KujiError):
    """Raised when the list cannot be frozen because applications are undecided; `readiness` says how many."""

    def __init__(self, readiness: Readiness) -> None:
        super().__init__("the list is not complete")
        self.readiness = readiness


class _ListChangedError(KujiError):
    """Raised to roll a transaction back when entries changed after they were counted."""


class TooEarlyError(KujiError):
    """Raised when the list cannot be frozen because applications may still arrive."""


class VaultKeyUnknownError(KujiError):
    """Raised when witnesses shall enter digits and the vault's key, which signs their acts, is not pinned."""


@dataclass(frozen=True)
class IncompleteFreeze:
    """Order to freeze an incomplete list. `reason` is public; `role`: of the person who acts, for the manifest."""

    reason: str
    role: Role
    approval: PresentedApproval


class FreezeService:
    """Freezes draws, at the request of staff or of the scheduler."""

    def __init__(
        self,
        store: Store,
        keys: LotteryKeys,
        clock: Clock,
        campaigns: Mapping[CampaignId, Campaign],
        vault_key: PinnedKeys,
    ) -> None:
        self._store, self._keys, self._clock, self._campaigns = store, keys, clock, campaigns
        self._vault_key = vault_key
        self._draws, self._entries, self._lists = DrawRepository(store), EntryRepository(store), ListRepository(store)
        self._roll = RollRepository(store)

    async def freeze(self, draw: Draw, order: IncompleteFreeze | None = None, actor: str | None = None) -> None:
        """Fix and sign the list. `actor`: staff id, None for the schedule.

        Raises TooEarlyError, ClocksDifferError, ListIncompleteError (unless ordered with an approval),
        ApprovalRefusedError, RoundPassedError, VaultKeyUnknownError, WrongStateError.
        """
        await self.finish(await self.close(draw, order, actor))

    async def close(self, draw: Draw, order: IncompleteFreeze | None = None, actor: str | None = None) -> Draw:
        """Close the list, so that no entry changes any more, and return the draw. Raises as `freeze` does."""
        campaign, now = self._campaigns[draw.campaign], self._clock.now()
        if now < campaign.window.paper_until:
            raise TooEarlyError("applications may still arrive")
        await check_clocks(self._store)
        for _ in range(_ATTEMPTS):
            _check_open(draw)
            readiness = await self._roll.readiness(draw.campaign)
            _check_permitted(readiness, order)
            closing = closing_of(campaign, draw.number, now, self._vault_key)
            if order is None:
                closed = await self._close_complete(draw, closing, actor)
            else:
                closed = await self._close_incomplete(draw, closing, readiness, order)
            if closed is not None:
                return closed
            draw = await self._draws.get(draw.campaign)
        raise TransientError("verdicts keep arriving while the list is checked; freeze it again in a moment")

    async def _close_complete(self, draw: Draw, closing: Closing, actor: str | None) -> Draw | None:
        """Close the list; None if it changed."""

        async def close_list(uow: UnitOfWork) -> Draw | None:
            closed = await DrawRepository(uow).close(draw, closing)
            if closed is not None and actor is not None:
                await record_act(uow, "lottery", StaffAct.FREEZE_LIST, actor, draw.id, draw.campaign)
            return closed

        return await self._store.transact(close_list)

    async def _close_incomplete(
        self, draw: Draw, closing: Closing, readiness: Readiness, order: IncompleteFreeze
    ) -> Draw | None:
        """Close the list in the transaction that uses the approval; None, with the approval unused, if it changed."""

        async def close_list(uow: UnitOfWork) -> Draw:
            params = params_of_freeze(draw, readiness)
            used = await order.approval.use(uow, ApprovalKind.FREEZE_INCOMPLETE, draw.campaign, params)
            override = Override(
                readiness.held, readiness.undecided, order.reason, order.role, used.approved_as, (used.actor, used.id)
            )
            closed = await DrawRepository(uow).close(draw, replace(closing, override=override))
            if closed is None:
                raise _ListChangedError("the list changed while it was checked")
            await record_act(uow, "lottery", StaffAct.FREEZE_LIST, used.actor, draw.id, draw.campaign)
            return closed

        try:
            return await self._store.transact(close_list)
        except _ListChangedError:
            return None

    async def finish(self, draw: Draw) -> bool:
        """Write down and sign the list of a closed draw. Return True if this call froze it.

        The list of a further round is another one (`services.lottery.further.freeze_round`).
        """
        if draw.state is not DrawState.FREEZING or draw.further is not None:
            return False
        frozen = await self._lists.write(draw.campaign, draw.id)
        lines = await self._roll.lines(draw.campaign)
        await self._lists.put_roll(draw.id, lines)
        counted = EntryCounts(
            await self._entries.count_by_channel(draw.campaign), await self._entries.count_by_reason(draw.campaign)
        )
        campaign = self._campaigns[draw.campaign]
        receipts = await asyncio.to_thread(receipts_of, write_roll(lines))
        key = draw.vault_key
        manifest = await asyncio.to_thread(write_manifest, campaign, frozen, receipts, counted, draw.freeze, key)
        if not await self.fix(draw, manifest):
            return False
        _log.info("list-frozen", campaign=draw.campaign, draw=draw.id, count=len(frozen))
        return True

    async def fix(self, draw: Draw, manifest: str) -> bool:
        """Sign the manifest of a closed draw and publish it. Return True if this call did so."""
        signature = self._keys.signing.sign(manifest.encode("utf-8"))
        opening = make_history_event("frozen", draw.freeze.at, None)

        async def fix_manifest(uow: UnitOfWork) -> None:
            await DrawRepository(uow).fix_manifest(draw, manifest, signature, opening)
            await _request_dice(draw, Manifest.read(manifest), uow)

        try:
            await self._store.transact(fix_manifest)
        except WrongStateError:
            return False
        return True


def closing_of(campaign: Campaign, number: int, now: datetime, vault_key: PinnedKeys) -> Closing:
    """Return what is fixed when the list of the campaign's draw `number` is closed.

    Raises RoundPassedError, VaultKeyUnknownError.
    """
    newest = next(reversed(vault_key.all()), None)
    if campaign.draw.uses_dice and newest is None:
        raise VaultKeyUnknownError("the vault's public key is not pinned (KUJI_VAULT_KEY_FILE)")
    return Closing(now, None, choose_round(campaign, number, now), newest)


async def _request_dice(draw: Draw, manifest: Manifest, uow: UnitOfWork) -> None:
    """Ask the vault for the digits of the witnesses, in a draw that has them."""
    if not manifest.uses_dice:
        return
    request = DiceRequested(
        campaign=draw.campaign,
        draw=draw.id,
        number=draw.number,
        manifest_sha256=manifest.sha256,
        opens=manifest.objections_until,
        round_at=manifest.beacon.at,
        witnesses=manifest.witnesses,
    )
    await uow.emit(request, derived_event_id(request.name, draw.id))


def _check_open(draw: Draw) -> None:
    if draw.is_erasing:
        raise WrongStateError("erasing")
    if not DRAW_STATES.allows(draw.state, DrawState.FREEZING):
        raise WrongStateError(draw.state)


def _check_permitted(readiness: Readiness, order: IncompleteFreeze | None) -> None:
    """Check that the list is complete, or that an incomplete freeze is ordered.

    Raises ListIncompleteError without an order; in any case for entries that are not on the roll, and without the
    complete roll, to which the manifest commits.
    """
    may_be_ordered = readiness.receipts_closed and not readiness.unknown_entries
    if not readiness.complete and not (order is not None and may_be_ordered):
        raise ListIncompleteError(readiness)
