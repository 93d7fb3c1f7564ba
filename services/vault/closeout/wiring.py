"""Wiring of the close-out: its parts, built once for the vault's `app.py`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fastapi import APIRouter

from services.vault.audit import AuditLog
from services.vault.closeout.answers import AnswerKeys, ErasureAnswers
from services.vault.closeout.campaign_folders import CampaignFolders
from services.vault.closeout.delay_queues import DelayQueues, DelayQueueWatch
from services.vault.closeout.endpoints import erasure_router, returns_router
from services.vault.closeout.erasure import Erasure, Limits
from services.vault.closeout.logsearch import LogSearch
from services.vault.closeout.measuring import VaultStores
from services.vault.closeout.order import ErasureOrders
from services.vault.closeout.refusals import CloseOutRefusedError
from services.vault.closeout.repository import CloseOutRepository
from services.vault.closeout.return_package import ReturnPackages
from services.vault.closeout.ward_key import WardKeys, parse_recipient
from services.vault.identities.reveal import Identities
from services.vault.keys.keystore import Keystore
from services.vault.settings import VaultSettings
from shared.approvals import ApprovalGate, WrongParamsError
from shared.campaign import Campaign
from shared.clock import Clock
from shared.erasure import Queues
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.periodic import PeriodicTasks
from shared.storage import Store
from shared.typesetting import Typesetter
from shared.web.sign_in.staff import Access


class VaultQueues(Queues, DelayQueues, Protocol):
    """The vault's own queues, and the delay queues of all services."""


@dataclass(frozen=True)
class CloseOut:
    """Parts of the close-out."""

    campaigns: Mapping[CampaignId, Campaign]
    repository: CloseOutRepository
    returns: ReturnPackages
    ward_keys: WardKeys
    orders: ErasureOrders
    answers: ErasureAnswers
    watch: PeriodicTasks

    async def ward_key_params(self, _: CampaignId | None, sent: JsonObject) -> JsonObject:
        """Return the key that a request names. Raises WrongParamsError for a text that is no key."""
        try:
            parse_recipient(str(sent.get("recipient", "")))
        except CloseOutRefusedError:
            raise WrongParamsError("recipient") from None
        return {"recipient": sent["recipient"]}

    async def return_params(self, campaign: CampaignId | None, _: JsonObject) -> JsonObject:
        """Return the parameters of a return now. Raises WrongParamsError before the ward's key is fixed."""
        return await _now(self.returns.params, campaign)

    async def erasure_params(self, campaign: CampaignId | None, _: JsonObject) -> JsonObject:
        """Return the parameters of an erasure now. Raises WrongParamsError before the return is confirmed."""
        return await _now(self.orders.params, campaign)

    def routers(self, access: Access) -> list[APIRouter]:
        """Return the endpoints, all of them for staff."""
        return [
            returns_router(self.campaigns, self.returns, self.ward_keys, access),
            erasure_router(self.campaigns, self.repository, self.orders, access),
        ]


async def _now(params: Callable[[CampaignId], Awaitable[JsonObject]], campaign: CampaignId | None) -> JsonObject:
    try:
        return await params(CampaignId(str(campaign)))
    except CloseOutRefusedError as refusal:
        raise WrongParamsError(refusal.code) from None


def close_out(
    settings: VaultSettings,
    store: Store,
    queues: VaultQueues,
    keystore: Keystore,
    answer_keys: AnswerKeys,
    identities: Identities,
    audit: AuditLog,
    campaigns: Mapping[CampaignId, Campaign],
    typesetter: Typesetter,
    clock: Clock,
    gate: ApprovalGate,
) -> CloseOut:
    """Return the parts of the close-out, connected."""
    repository, folders = CloseOutRepository(store), CampaignFolders.below(settings.state_dir)
    erasure = Erasure(
        store=store,
        repository=repository,
        audit=audit,
        stores=VaultStores(store, keystore, queues, folders),
        delay_queues=DelayQueueWatch(queues, max(settings.retry_delays_s), settings.erasure_answers_s),
        logs=LogSearch(store, identities, settings.log_scan_dirs),
        typesetter=typesetter,
        clock=clock,
        limits=Limits(settings.erasure_answers_s, settings.key_copies_horizon_days),
    )
    ward_keys = WardKeys(store, gate)
    returns = ReturnPackages(store, identities, audit, repository, clock, folders, gate, ward_keys)
    return CloseOut(
        campaigns=campaigns,
        repository=repository,
        returns=returns,
        ward_keys=ward_keys,
        orders=ErasureOrders(store, repository, audit, clock, gate, returns),
        answers=ErasureAnswers(repository, answer_keys),
        watch=PeriodicTasks(campaigns.values(), (erasure.carry_out,), every_s=settings.close_out_watch_s),
    )
