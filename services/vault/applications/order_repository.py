"""Load what decides which applications of a person stand, store what changed, and publish the verdicts."""

from collections.abc import Collection as AnyCollection
from collections.abc import Sequence

from services.vault.applications.duplicates import DuplicateOrder
from services.vault.applications.events import publish_verdicts
from services.vault.applications.index_repository import BlindIndexRepository
from services.vault.applications.matching import COPY
from services.vault.applications.pair_repository import PairRepository
from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.rules.states import ApplicationState
from services.vault.applications.stored import StoredApplication
from shared.ids import CampaignId
from shared.storage import Store, UnitOfWork


class OrderRepository:
    """Read and write the order of applications within a unit of work."""

    def __init__(self, store: Store) -> None:
        self._applications, self._pairs = ApplicationRepository(store), PairRepository(store)

    async def load(
        self,
        uow: UnitOfWork,
        campaign: CampaignId,
        known: Sequence[StoredApplication],
        contents: AnyCollection[str] = (),
    ) -> DuplicateOrder:
        """Read what these applications depend on and what depends on them. `contents`: those that arrive."""
        leaving = {one.keys[COPY] for one in known if COPY in one.keys and one.state is not ApplicationState.SUPERSEDED}
        own = {one.keys[COPY] for one in known if COPY in one.keys} | set(contents)
        pairs = await self._pairs.connected(uow, campaign, own)
        connected = own | {content for pair in pairs for content in pair.contents}
        rows = [
            *await self._applications.with_contents(uow, campaign, connected - leaving, copies=False),
            *await self._applications.with_contents(uow, campaign, leaving, copies=True),
        ]
        by_id = {one.application_id: one for one in rows} | {one.application_id: one for one in known}
        return DuplicateOrder(by_id.values(), pairs)

    async def save(self, uow: UnitOfWork, campaign: CampaignId, order: DuplicateOrder) -> None:
        """Store what changed and publish its verdicts."""
        changed = order.changed
        if not changed and not order.changed_pairs:
            return
        index = BlindIndexRepository(uow, campaign)
        await index.add({one.keys[COPY]: one.blocks for one in changed if one.blocks})
        await index.remove(order.gone_contents)
        await self._pairs.write(uow, campaign, order.changed_pairs, order.pairs)
        await self._applications.insert(uow, order.inserted)
        for application in order.replaced:
            await self._applications.replace(uow, application)
        await publish_verdicts(uow, campaign, changed)
