"""Delete a seeded paper before anybody keyed it: once it measured a keyer, the counts rest on it."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.keystore import Keystore
from services.vault.papers.keying import Keying
from shared.clock import Clock
from shared.ids import CampaignId, PaperId
from shared.storage import Store

Deletion: TypeAlias = Literal["deleted", "keyed", "held", "unknown"]
"""What became of it: `held`: a keyer has it on the screen."""

_ROLE: Final = "handler"
_PURPOSE: Final = "keying-quality"


@dataclass(frozen=True)
class SeededDeletion:
    """Deletes seeded papers in the name of the responsible handler."""

    store: Store
    keystore: Keystore
    audit: AuditLog
    clock: Clock
    keying: Keying

    async def delete(self, campaign: CampaignId, paper_id: PaperId, actor: str) -> Deletion:
        """Delete the paper after one audit line. A second line follows where it was keyed at the same moment."""
        stored = await self.keying.seeded.whole(campaign, paper_id)
        if stored is None:
            return "unknown"
        if stored.keyed_by:
            return "keyed"
        if paper_id in await self.keying.holds.active(campaign, self.clock.now()):
            return "held"
        await self._record(campaign, paper_id, actor, "deleted")
        if await self.store.transact(lambda uow: self.keying.seeded.delete(uow, campaign, paper_id)):
            return "deleted"
        await self._record(campaign, paper_id, actor, "kept")
        return "keyed"

    async def _record(self, campaign: CampaignId, paper_id: PaperId, actor: str, outcome: str) -> None:
        subject = self.keystore.campaign(campaign).subject_of(paper_id)
        line = AuditEvent(actor, _ROLE, "delete-seeded-paper", _PURPOSE, campaign, subject, outcome)
        await self.audit.record([line])
