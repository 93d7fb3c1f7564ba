"""Wiring of the erasure of people for the vault's `app.py`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from services.vault.applications.search import DuplicateSearch
from services.vault.applications.verdicts import VerdictWriter
from services.vault.audit import AuditLog
from services.vault.closeout.answers import AnswerKeys
from services.vault.keys.keystore import Keystore
from services.vault.person_erasure import repository
from services.vault.person_erasure.order import PersonErasureOrders
from services.vault.person_erasure.steps import PersonErasureSteps
from services.vault.settings import VaultSettings
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import PersonErased
from shared.ids import CampaignId
from shared.messaging import Bus
from shared.periodic import PeriodicTasks
from shared.storage import Store
from shared.typesetting import Typesetter

collections = repository.collections


@dataclass(frozen=True)
class PersonErasureDesk:
    """Orders, steps, and the task that takes the steps."""

    orders: PersonErasureOrders
    steps: PersonErasureSteps
    watch: PeriodicTasks

    @classmethod
    def make(
        cls,
        settings: VaultSettings,
        store: Store,
        bus: Bus,
        keystore: Keystore,
        audit: AuditLog,
        campaigns: Mapping[CampaignId, Campaign],
        search: DuplicateSearch,
        keys: AnswerKeys,
        typesetter: Typesetter,
        clock: Clock,
        forget_papers: Callable[[Iterable[str]], None],
    ) -> Self:
        """Return the parts, connected, and consume the services' answers."""
        orders = PersonErasureOrders(store, keystore, audit, campaigns, VerdictWriter(store, search), clock)
        steps = PersonErasureSteps(
            store, orders, keystore, audit, bus, bus.parking, keys, typesetter, clock, forget_papers
        )
        bus.consume(PersonErased, steps.on_erased)
        every_s = settings.close_out_watch_s
        return cls(orders, steps, PeriodicTasks(campaigns.values(), (steps.carry_out,), every_s=every_s))
