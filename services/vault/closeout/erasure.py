"""The erasure, step by step. Each step may be interrupted anywhere and done again (R-S7, R-C11, R-C12).

Who may order it: two people and a responsible handler, after the ward confirmed the return, not before the close-out
date unless a reason is given. What then happens is the table `_steps`; several instances may work on it at once.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.vault.audit import AuditEvent, AuditLog
from services.vault.closeout.logsearch import LogSearch
from services.vault.closeout.measuring import ERASED, Measuring
from services.vault.closeout.page import certificate_page
from services.vault.closeout.repository import Ledger, Record
from services.vault.closeout.return_package import CloseOutRefused
from services.vault.closeout.rules.certificate import Approval, Findings, LogScan, issue, not_answered
from services.vault.closeout.rules.stages import ERASING, Stage
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import ErasureCompleted, ErasureRequested, StoreErasure
from shared.erasure import count_outbox
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork
from shared.typesetting import Typesetter

OTHERS: Final = ("intake", "lottery", "notifier")

_log = get_logger(__name__)

Facts = dict[str, Any]
Step = Callable[[Campaign, Record], Awaitable[Facts | None]]


@dataclass(frozen=True)
class Limits:
    """`answers_s`: longest wait for the other services (wall time). `backup_horizon_days`: None where nobody said."""

    answers_s: float
    backup_horizon_days: int | None


@dataclass(frozen=True)
class Erasure:
    store: Store
    ledger: Ledger
    audit: AuditLog
    measuring: Measuring
    logs: LogSearch
    typesetter: Typesetter
    clock: Clock
    limits: Limits

    async def order(self, campaign: Campaign, approval: Approval, reason: str | None) -> None:
        """Order the erasure; once ordered or done, ordering again changes nothing. Raises CloseOutRefused."""
        stage, _ = await self.ledger.of(campaign.id)
        if stage in ERASING or stage is Stage.CERTIFIED:
            return
        self._check(campaign, stage, approval, reason)
        erasure_id = f"erasure-{secrets.token_hex(6)}"
        people = f"{approval.requested_by}+{approval.approved_by}+{approval.responsible}"
        ordered = f"erasure-ordered:{erasure_id}"
        await self.audit.record([AuditEvent(people, "handler", ordered, "erasure", campaign.id, None, reason or "due")])
        order = {"id": erasure_id, **asdict(approval), "at": self.clock.now(), "wall": datetime.now(UTC)}

        async def work(uow: UnitOfWork) -> None:
            if await self.ledger.advance(campaign.id, Stage.REQUESTED, {"order": order, "answers": {}}, uow=uow):
                await uow.emit(ErasureRequested(campaign=campaign.id, erasure_id=erasure_id))

        await self.store.transact(work)

    async def on_completed(self, events: Sequence[ErasureCompleted], uow: UnitOfWork) -> None:
        """Note what another service says it erased; an answer to another order is not ours."""
        for event in events:
            _, record = await self.ledger.of(event.campaign, uow=uow)
            if record.get("order", {}).get("id") == event.erasure_id:
                rows = [store.model_dump() for store in event.stores]
                await self.ledger.note(event.campaign, {f"answers.{event.service}": rows}, uow=uow)

    async def carry_out(self, campaign: Campaign) -> None:
        """Go as far as can be gone now; to be called until it is certified."""
        while True:
            stage, record = await self.ledger.of(campaign.id)
            if stage not in ERASING:
                return
            step, following = self._steps[stage]
            facts = await step(campaign, record)
            if facts is None:
                return
            if await self.ledger.advance(campaign.id, following, facts):
                _log.info(
                    "erasure-advanced", campaign=campaign.id, erasure=record["order"]["id"], state=following.value
                )

    @property
    def _steps(self) -> Mapping[Stage, tuple[Step, Stage]]:
        return {
            Stage.REQUESTED: (self._scan, Stage.SCANNED),
            Stage.SCANNED: (self._destroy, Stage.DESTROYED),
            Stage.DESTROYED: (self._empty, Stage.EMPTIED),
            Stage.EMPTIED: (self._measure, Stage.MEASURED),
            Stage.MEASURED: (self._certify, Stage.CERTIFIED),
        }

    def _check(self, campaign: Campaign, stage: Stage, approval: Approval, reason: str | None) -> None:
        if len({approval.requested_by, approval.approved_by}) < 2:  # noqa: PLR2004  (two people)
            raise CloseOutRefused("two-people-needed")
        if stage is not Stage.CONFIRMED:
            raise CloseOutRefused("return-not-confirmed")
        if self.clock.now() < campaign.close_out and reason is None:
            raise CloseOutRefused("before-close-out")

    async def _scan(self, campaign: Campaign, record: Record) -> Facts:
        scan = await self.logs.run(campaign.id, record["order"]["id"])
        return {
            "before": await self.measuring.counts(campaign.id),
            "samples": await self.measuring.samples(campaign.id),
            "logs": asdict(scan),
        }

    async def _destroy(self, campaign: Campaign, record: Record) -> Facts:
        fingerprint = await asyncio.to_thread(self.measuring.keystore.destroy, campaign.id)
        action = f"key-destroyed:{record['order']['id']}"
        await self.audit.record([AuditEvent("vault", "service", action, "erasure", campaign.id, None, fingerprint)])
        return {"fingerprint": fingerprint}

    async def _empty(self, campaign: Campaign, _: Record) -> Facts:
        for name in ERASED:
            await self.store.db[name].delete_many({"campaign": campaign.id})
        await asyncio.to_thread(self.measuring.returns.remove_files, campaign.id)
        await self.measuring.queues.purge_campaign(campaign.id)
        return {}

    async def _measure(self, campaign: Campaign, record: Record) -> Facts | None:
        """None while messages of the campaign are still leaving: after a crash the next relay waits for a lease."""
        if await count_outbox(self.store, campaign.id) and not self._waited_long(record):
            return None
        rows = await self.measuring.rows(campaign.id, record["before"], record["samples"])
        return {"stores": [row.model_dump() for row in rows]}

    async def _certify(self, campaign: Campaign, record: Record) -> Facts | None:
        """None while another service may still answer."""
        if set(OTHERS) - set(record["answers"]) and not self._waited_long(record):
            return None
        findings = _findings(campaign, record, self.clock.now(), self.limits, await self.audit.checkpoint())
        signing = self.measuring.keystore.signing
        certificate = issue(findings, signing)
        page = await asyncio.to_thread(certificate_page, self.typesetter, campaign, certificate, signing.public)
        return {"certificate": certificate, "page": page, "samples": []}

    def _waited_long(self, record: Record) -> bool:
        waited: timedelta = datetime.now(UTC) - record["order"]["wall"]
        return waited > timedelta(seconds=self.limits.answers_s)


def _findings(
    campaign: Campaign, record: Record, finished_at: datetime, limits: Limits, checkpoint: Mapping[str, Any] | None
) -> Findings:
    order = record["order"]
    return Findings(
        certificate_id=order["id"],
        campaign=campaign.id,
        contract_title=campaign.contract.title,
        rehearsal=campaign.rehearsal,
        approval=Approval(order["requested_by"], order["approved_by"], order["responsible"]),
        key_fingerprint=record["fingerprint"],
        started_at=order["at"],
        finished_at=finished_at,
        services={service: _answer(record, service) for service in (*OTHERS, "vault")},
        logs=LogScan(**record["logs"]),
        backup_horizon_days=limits.backup_horizon_days,
        audit_checkpoint=checkpoint,
    )


def _answer(record: Record, service: str) -> list[StoreErasure]:
    rows = record["stores"] if service == "vault" else record["answers"].get(service)
    return [StoreErasure(**row) for row in rows] if rows else [not_answered(service)]
