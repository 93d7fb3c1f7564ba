"""Carry out an erasure step by step. Each step may be interrupted anywhere and done again (R-S7, R-C11, R-C12).

The table in `step_of` gives the step of each stage. Several vault processes may work on one erasure at the same time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from services.vault.audit import AuditEvent, AuditLog
from services.vault.audit.folder import SignedState
from services.vault.closeout.certificate_pdf import certificate_pdf
from services.vault.closeout.delay_queues import DelayQueueWatch, judge_delay_queues
from services.vault.closeout.logsearch import LogSearch
from services.vault.closeout.measuring import VaultStores
from services.vault.closeout.repository import CloseOutRepository, Facts
from services.vault.closeout.rules.certificate import Findings, LogScan, ReturnedTo, issue, key_copies_until
from services.vault.closeout.rules.record import CloseOutRecord, Order
from services.vault.closeout.rules.required_stores import (
    OTHER_SERVICES,
    answered_rows,
    complete_rows,
    confirmed_tombstones,
)
from services.vault.closeout.rules.stages import ERASING, Stage
from services.vault.keys.folder_lease import keys_lease
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import ErasureRequested
from shared.ids import derived_event_id
from shared.json_types import JsonObject
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork
from shared.typesetting import Typesetter

_NOT_SEARCHED: Final = LogScan(0, 0, 0, None, "UNKNOWN")

_log = get_logger(__name__)

Following = tuple[Stage, Facts]
Step = Callable[[Campaign, CloseOutRecord, Order], Awaitable[Following | None]]
"""Returns the next stage and what is recorded with it; None while the step waits."""


@dataclass(frozen=True)
class Limits:
    """`answers_s`: longest wait for the answers to one request. `copies_horizon_days`: None if no copy is recorded."""

    answers_s: float
    copies_horizon_days: int | None


@dataclass(frozen=True)
class Erasure:
    """Parts that the steps of an erasure need."""

    store: Store
    repository: CloseOutRepository
    audit: AuditLog
    stores: VaultStores
    delay_queues: DelayQueueWatch
    logs: LogSearch
    typesetter: Typesetter
    clock: Clock
    limits: Limits

    async def carry_out(self, campaign: Campaign) -> None:
        """Go as far as possible now; to be called again until the erasure is certified."""
        while True:
            record = await self.repository.find(campaign.id)
            if record.stage not in ERASING or record.order is None:
                return
            following = await self.step_of(record.stage)(campaign, record, record.order)
            if following is None:
                return
            stage, facts = following
            if await self._advance(campaign, stage, facts, record.order):
                erasure = record.order.erasure_id
                _log.info("erasure-advanced", campaign=campaign.id, erasure=erasure, state=stage.value)

    def step_of(self, stage: Stage) -> Step:
        """Return the step that leads on from this stage. Raises KeyError for a stage that no step leaves."""
        steps: Mapping[Stage, Step] = {
            Stage.REQUESTED: self._scan,
            Stage.SCANNED: self._destroy,
            Stage.DESTROYED: self._empty,
            Stage.EMPTIED: self._await_tombstones,
            Stage.SILENCED: self._await_delay_queues,
            Stage.DRAINED: self._measure,
            Stage.MEASURED: self._certify,
            Stage.PENDING: self._certify_again,
        }
        return steps[stage]

    async def _advance(self, campaign: Campaign, stage: Stage, facts: Facts, order: Order) -> bool:
        """Move on; with the stage DRAINED the other services are asked to measure, in the same transaction."""

        async def move(uow: UnitOfWork) -> bool:
            if not await self.repository.advance(campaign.id, stage, facts, uow=uow):
                return False
            if stage is Stage.DRAINED:
                request = ErasureRequested(campaign=campaign.id, erasure_id=order.erasure_id, phase="measured")
                await uow.emit(request, derived_event_id(request.name, order.erasure_id, request.phase))
            return True

        return await self.store.transact(move)

    async def _scan(self, campaign: Campaign, _: CloseOutRecord, order: Order) -> Following:
        scan = await self.logs.run(campaign.id, order.erasure_id)
        facts = {
            "before": await self.stores.counts(campaign.id),
            "samples": await self.stores.samples(campaign.id),
            "logs": asdict(scan),
        }
        return Stage.SCANNED, facts

    async def _destroy(self, campaign: Campaign, _: CloseOutRecord, order: Order) -> Following:
        async with keys_lease(self.store).held():
            fingerprint = await asyncio.to_thread(self.stores.keystore.destroy_campaign_key, campaign.id)
        action = f"key-destroyed:{order.erasure_id}"
        await self.audit.record([AuditEvent("vault", "service", action, "erasure", campaign.id, None, fingerprint)])
        return Stage.DESTROYED, {"fingerprint": fingerprint}

    async def _empty(self, campaign: Campaign, _: CloseOutRecord, order: Order) -> Following | None:
        """Wait while this process handles messages of the campaign that it took before the tombstone; then delete."""
        if self.stores.queues.unacknowledged(campaign.id) and not self._too_late(order.wall):
            return None
        await self.repository.add_discarded(campaign.id, await self.stores.delete(campaign.id))
        return Stage.EMPTIED, {}

    async def _await_tombstones(self, _: Campaign, record: CloseOutRecord, order: Order) -> Following | None:
        if confirmed_tombstones(record.answered("erased")):
            return Stage.SILENCED, {"silenced_at": datetime.now(UTC)}
        return (Stage.SILENCED, {}) if self._too_late(order.wall) else None

    async def _await_delay_queues(self, campaign: Campaign, record: CloseOutRecord, _: Order) -> Following | None:
        """Wait for the delay queues. Without T no time tells that they ran empty, so that is given up at once."""
        now = datetime.now(UTC)
        if record.silenced_at is None:
            return Stage.DRAINED, {"drained": False, "drained_at": now}
        drain = await self.delay_queues.look(record.silenced_at, record.seen_empty, now)
        if drain.ended is None:
            await self.repository.add_seen_empty(campaign.id, drain.empty)
            return None
        return Stage.DRAINED, {"drained": drain.ended, "drained_at": now}

    async def _measure(self, campaign: Campaign, record: CloseOutRecord, order: Order) -> Following | None:
        """Wait for the other services' measurements, then measure the vault itself."""
        if set(OTHER_SERVICES) - record.answered("measured") and not self._too_late(record.drained_at or order.wall):
            return None
        discarded = await self.stores.queues.purge_campaign(campaign.id)
        await self.repository.add_discarded(campaign.id, discarded)
        rows = await self.stores.rows(campaign.id, record.before, record.samples, record.discarded + discarded)
        rows.append(judge_delay_queues(drained=record.drained))
        return Stage.MEASURED, {"rows": [row.model_dump() for row in rows], "finished_at": self.clock.now()}

    async def _certify(self, campaign: Campaign, record: CloseOutRecord, order: Order) -> Following:
        facts = await self._issue(campaign, record, order)
        until = self._copies_until(order)
        copies_exist = until is not None and self.clock.now() < until
        return (Stage.PENDING if copies_exist else Stage.CERTIFIED), facts

    async def _certify_again(self, campaign: Campaign, record: CloseOutRecord, order: Order) -> Following | None:
        """Issue the certificate again once the last recorded copy of the key folder is gone."""
        until = self._copies_until(order)
        if until is not None and self.clock.now() < until:
            return None
        return Stage.CERTIFIED, await self._issue(campaign, record, order)

    async def _issue(self, campaign: Campaign, record: CloseOutRecord, order: Order) -> Facts:
        until = self._copies_until(order)
        services = {
            service: answered_rows(
                service, record.answer(service, "measured"), contradicted=service in record.contradicted
            )
            for service in OTHER_SERVICES
        }
        findings = Findings(
            certificate_id=order.erasure_id,
            campaign=campaign.id,
            contract_title=campaign.contract.title,
            rehearsal=campaign.rehearsal,
            approval=order.approval,
            returned=_returned(record),
            key_fingerprint=record.fingerprint,
            started_at=order.at,
            finished_at=self.clock.now(),
            services={**services, "vault": complete_rows("vault", record.rows)},
            logs=record.logs or _NOT_SEARCHED,
            copies_horizon_days=None if until is None else max(1, -(-(until - order.at) // timedelta(days=1))),
            key_copies_until=until,
            audit_checkpoint=_checkpoint(await self.audit.checkpoint()),
        )
        signing = self.stores.keystore.signing
        certificate = issue(findings, signing)
        page = await asyncio.to_thread(certificate_pdf, self.typesetter, campaign, certificate, signing.public)
        return {"certificate": certificate, "page": page, "samples": []}

    def _copies_until(self, order: Order) -> datetime | None:
        """Return the end of the last copy of the key folder: by the settings, or by the records in the folder."""
        ends = [key_copies_until(order.at, self.limits.copies_horizon_days), self.stores.keystore.copies_until()]
        return max((end for end in ends if end is not None), default=None)

    def _too_late(self, since: datetime) -> bool:
        return datetime.now(UTC) - since > timedelta(seconds=self.limits.answers_s)


def _checkpoint(signed: SignedState | None) -> JsonObject | None:
    """Return the end of the audit log as the certificate names it; None if the log is empty or was cut."""
    if signed is None:
        return None
    return {"size": signed.size, "root": signed.frontier.root().hex(), "note": signed.note}


def _returned(record: CloseOutRecord) -> ReturnedTo:
    """Return the package that the ward confirmed; no erasure is ordered without one."""
    package = record.package
    return ReturnedTo("", "") if package is None else ReturnedTo(package.recipient, package.sha256)
