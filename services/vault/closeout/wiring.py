"""The close-out's parts, put together once for the vault's `app.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter

from services.vault.audit import AuditLog
from services.vault.closeout.endpoints import erasure_router, returns_router
from services.vault.closeout.erasure import Erasure, Limits
from services.vault.closeout.logsearch import LogSearch
from services.vault.closeout.measuring import Measuring
from services.vault.closeout.repository import Ledger
from services.vault.closeout.return_package import Returns
from services.vault.identities.reveal import Identities
from services.vault.keys.keystore import Keystore
from services.vault.settings import VaultSettings
from shared.campaign import Campaign
from shared.clock import Clock
from shared.erasure import Queues
from shared.ids import CampaignId
from shared.periodic import PeriodicTasks
from shared.storage import Store
from shared.typesetting import Typesetter
from shared.web.staff_token import Guard


@dataclass(frozen=True)
class CloseOut:
    campaigns: Mapping[CampaignId, Campaign]
    ledger: Ledger
    returns: Returns
    erasure: Erasure
    watch: PeriodicTasks

    def routers(self, guard: Guard) -> list[APIRouter]:
        return [
            returns_router(self.campaigns, self.returns, guard),
            erasure_router(self.campaigns, self.ledger, self.erasure, guard),
        ]


def close_out(
    settings: VaultSettings,
    store: Store,
    queues: Queues,
    keystore: Keystore,
    identities: Identities,
    audit: AuditLog,
    campaigns: Mapping[CampaignId, Campaign],
    typesetter: Typesetter,
    clock: Clock,
) -> CloseOut:
    ledger = Ledger(store)
    outgoing: Path = settings.state_dir / "outgoing"
    returns = Returns(store, identities, audit, ledger, clock, outgoing)
    erasure = Erasure(
        store=store,
        ledger=ledger,
        audit=audit,
        measuring=Measuring(store, keystore, queues, returns),
        logs=LogSearch(store, identities, settings.log_scan_dirs),
        typesetter=typesetter,
        clock=clock,
        limits=Limits(settings.erasure_answers_s, settings.backup_horizon_days),
    )
    watch = PeriodicTasks(campaigns.values(), (erasure.carry_out,), every_s=settings.close_out_watch_s)
    return CloseOut(campaigns, ledger, returns, erasure, watch)
