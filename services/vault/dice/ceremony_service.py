"""Take the digits of a witness: check, sign, record and publish them in one transaction."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from services.vault.audit import AuditEvent, AuditLog
from services.vault.dice.repository import CeremonyRepository
from services.vault.dice.rules.ceremony import Ceremony, Entered
from shared.clock import Clock
from shared.contracts import DiceEntered, DiceRequested
from shared.dice_acts import DiceRole, write_dice_act
from shared.errors import KujiError
from shared.ids import CampaignId, DrawId
from shared.logging import get_logger
from shared.signing import SigningKey
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


class UnknownDrawError(KujiError):
    """Raised when the lottery has asked for no digits of this draw."""


@dataclass(frozen=True)
class Witness:
    """Person who enters digits. `role`: in which the person acts, for the public transcript."""

    staff_id: str
    role: DiceRole


class CeremonyService:
    """One per vault process. `clock`: the campaign's."""

    def __init__(self, store: Store, audit: AuditLog, signing: SigningKey, clock: Clock) -> None:
        self._store, self._audit, self._signing, self._clock = store, audit, signing, clock

    async def on_requested(self, events: Sequence[DiceRequested], uow: UnitOfWork) -> None:
        """Handle `dice.requested`."""
        for event in events:
            await CeremonyRepository(uow).put(event)

    async def list(self, campaign: CampaignId) -> list[Ceremony]:
        """Return the ceremonies of the campaign by the number of their draw."""
        return await CeremonyRepository(self._store).of(campaign)

    async def find(self, campaign: CampaignId, draw: str) -> Ceremony:
        """Return a ceremony. Raises UnknownDrawError."""
        return _known(await CeremonyRepository(self._store).find(campaign, DrawId(draw)))

    async def enter(self, campaign: CampaignId, draw: str, witness: Witness, digits: str) -> Ceremony:
        """Enter the digits (20) of a witness and return the ceremony. The act leaves with the transaction.

        Raises UnknownDrawError, DiceRefusedError, InvalidDiceActsError for other digits, NotRecordedError.
        """
        act_id, recorded = str(uuid.uuid4()), False

        async def enter(uow: UnitOfWork) -> None:
            nonlocal recorded
            ceremony = _known(await CeremonyRepository(uow).find(campaign, DrawId(draw)))
            now = self._clock.now()
            ceremony.check(witness.staff_id, now)
            act = write_dice_act(self._signing, act_id, ceremony.rule, digits, witness.role, now)
            await CeremonyRepository(uow).add(uow, ceremony, Entered(witness.staff_id, witness.role, now), act)
            await uow.emit(DiceEntered(campaign=campaign, draw=ceremony.draw, act=act))
            if not recorded:  # the transaction may be repeated, its line must not
                await self._audit.record([_line(witness, ceremony)])
                recorded = True

        await self._store.transact(enter)
        _log.info("dice-entered", campaign=campaign, draw=DrawId(draw))
        return await self.find(campaign, draw)


def _known(ceremony: Ceremony | None) -> Ceremony:
    if ceremony is None:
        raise UnknownDrawError("the lottery has asked for no digits of this draw")
    return ceremony


def _line(witness: Witness, ceremony: Ceremony) -> AuditEvent:
    action = f"enter-dice:{ceremony.draw}"
    return AuditEvent(witness.staff_id, witness.role, action, "draw", ceremony.campaign, None, "done")
