"""One service's part in an erasure on a real database, with queues that a test fills by hand."""

from dataclasses import dataclass, field

from services.vault.closeout.answers import AnswerKeys
from shared.campaign import Campaign
from shared.contracts import ErasureCompleted, ErasurePhase, ErasureRequested
from shared.contracts.named_people import IsErased, Mention
from shared.erasure import CampaignStores, ErasureParticipant
from shared.ids import CampaignId
from shared.service_keys import PublicKeys
from shared.storage import OUTBOX, Store
from tests.support.service_keys import keys_dir, service_key

ERASURE = "erasure-1"


@dataclass
class PlannedQueues:
    """The broker's side: what a test says is waiting, delivered, parked or delayed."""

    inlets: dict[str, int] = field(default_factory=lambda: {"notifier.contact.registered": 0})
    delays: dict[str, int] = field(default_factory=lambda: {"kuji.wait.1s": 0, "kuji.wait.60s": 0})
    in_hand: int = 0
    parked_now: int = 0
    parked_of_several: int = 0
    is_stuck: bool = False

    async def inlet_depths(self) -> dict[str, int]:
        return self.inlets

    async def delay_depths(self) -> dict[str, int]:
        return self.delays

    def unacknowledged(self, campaign: CampaignId) -> int:
        assert campaign
        return self.in_hand

    async def purge_campaign(self, campaign: CampaignId) -> int:
        """Discard, unless another process holds the parked messages at this moment."""
        assert campaign
        if self.is_stuck:
            return 0
        discarded, self.parked_now = self.parked_now, 0
        return discarded

    async def parked(self, campaign: CampaignId) -> int:
        assert campaign
        return self.parked_now

    async def purge_about(self, campaign: CampaignId, is_erased: IsErased) -> int:
        assert is_erased
        return await self.purge_campaign(campaign)

    async def count_about(self, campaign: CampaignId, is_erased: IsErased) -> dict[Mention, int]:
        assert is_erased
        return {Mention.ONLY: await self.parked(campaign), Mention.MIXED: self.parked_of_several}


@dataclass(frozen=True)
class ParticipantHarness:
    """A participant, and what it was asked and answered."""

    store: Store
    campaign: Campaign
    queues: PlannedQueues
    participant: ErasureParticipant

    async def ask(self, phase: ErasurePhase = "erased", erasure_id: str = ERASURE) -> None:
        """Let the vault's request arrive."""
        event = ErasureRequested(campaign=self.campaign.id, erasure_id=erasure_id, phase=phase)
        await self.store.transact(lambda uow: self.participant.on_requested([event], uow))

    async def work(self) -> None:
        """Let the service's periodic task run once."""
        await self.participant.carry_out(self.campaign)

    async def published(self) -> list[ErasureCompleted]:
        """Return the answers in the outbox."""
        lines = self.store.db[OUTBOX].find({"name": ErasureCompleted.name}).sort("_id", 1)
        return [ErasureCompleted.model_validate_json(line["body"]) async for line in lines]

    async def answers(self) -> list[ErasureCompleted]:
        """Ask for both phases, work, and return the answers."""
        for phase in ("erased", "measured"):
            await self.ask(phase)
            await self.work()
        return await self.published()


def participant(
    service: str, store: Store, campaign: Campaign, stores: CampaignStores, queues: PlannedQueues
) -> ParticipantHarness:
    """Return the harness of `service` over these stores."""
    part = ErasureParticipant(service, store, stores, queues, service_key(service))  # type: ignore[arg-type]
    return ParticipantHarness(store, campaign, queues, part)


def answer_keys() -> AnswerKeys:
    """Return the public keys of all services."""
    return PublicKeys(keys_dir())
