"""What intake does with each message it consumes. Each runs in a transaction of the bus and may be run again."""

from collections.abc import Sequence

from services.intake.applications.repository import Ledger
from services.intake.campaigns.sealing_keys import Keys
from services.intake.erasure import Erasure
from services.intake.papers.repository import PaperLedger
from services.intake.rules.paper_states import PaperStatus
from shared.contracts import ApplicationsDecided, ErasureRequested, PaperSettled, SealingKeyPublished
from shared.storage import UnitOfWork


class Handlers:
    def __init__(self, ledger: Ledger, papers: PaperLedger, keys: Keys, erasure: Erasure) -> None:
        self._ledger, self._papers, self._keys, self._erasure = ledger, papers, keys, erasure

    async def sealing_keys(self, events: Sequence[SealingKeyPublished], uow: UnitOfWork) -> None:
        for event in events:
            await self._keys.keep(event, uow)

    async def decisions(self, events: Sequence[ApplicationsDecided], uow: UnitOfWork) -> None:
        for event in events:
            await self._ledger.decide(event.campaign, event.items, uow)

    async def settled_papers(self, events: Sequence[PaperSettled], uow: UnitOfWork) -> None:
        for event in events:
            await self._papers.settle(event.campaign, event.paper_id, PaperStatus(event.state), uow)

    async def erasures(self, events: Sequence[ErasureRequested], uow: UnitOfWork) -> None:
        for event in events:
            await self._erasure.request(event, uow)
