"""Advance draws by themselves: freeze at the draw time, ask for the beacon, draw, publish, finish what was begun.

One instance at a time looks after a campaign, by a lease in the database. When it dies, another one takes over.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from services.lottery.draw.clock_check import ClocksDifferError
from services.lottery.draw.freeze import FreezeService, ListIncompleteError, TooEarlyError, VaultKeyUnknownError
from services.lottery.draw.randomness_entry import SCHEDULE, ObjectionsOpenError, RandomnessService
from services.lottery.draw.relays import RelayClient
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.given_source import RelayTrouble
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.draw.run import DrawRunner
from services.lottery.further.freeze_round import FurtherFreeze
from services.lottery.further.publish_round import FurtherPublisher
from services.lottery.randomness.rounds import RoundPassedError
from services.lottery.randomness.sources import BeaconRound, InvalidRandomnessError
from services.lottery.results.publish import ResultPublisher
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import DrawId
from shared.logging import get_logger
from shared.storage import Store
from shared.storage.leases import Leases

LEASE_S: Final = 6.0
_ASK_AGAIN: Final = timedelta(seconds=10)

_log = get_logger(__name__)


class DrawScheduler:
    """Takes the transition that is due, for one campaign at a time."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        freezing: FreezeService,
        randomness: RandomnessService,
        relays: RelayClient,
        runner: DrawRunner,
        publisher: ResultPublisher,
        further_freezing: FurtherFreeze,
        further_publisher: FurtherPublisher,
    ) -> None:
        self._draws, self._clock, self._leases = DrawRepository(store), clock, Leases(store.db)
        self._freezing, self._randomness, self._relays = freezing, randomness, relays
        self._runner, self._publisher = runner, publisher
        self._further_freezing, self._further_publisher = further_freezing, further_publisher
        self._name = secrets.token_hex(8)
        self._asked: dict[DrawId, datetime] = {}
        self._incomplete: dict[DrawId, int] = {}

    async def advance(self, campaign: Campaign) -> None:
        """Take the transition that is due, unless another instance looks after this campaign.

        An instance with nothing due does not take the lease, so that a slow clock cannot block the others.
        """
        draw = await self._draws.get(campaign.id)
        if self._is_due(campaign, draw) and await self._leases.hold(_lease(campaign), self._name, LEASE_S):
            await self._take_transition(campaign, draw)

    def _is_due(self, campaign: Campaign, draw: Draw) -> bool:
        """Return True if a transition is due. A list that was incomplete is checked again when it has changed."""
        match draw.state:
            case DrawState.OPEN:
                checked = self._incomplete.get(draw.id) == draw.changes
                return draw.number == 1 and self._clock.now() >= campaign.draw.at and not checked
            case DrawState.FROZEN:
                return not draw.lacks_randomness or self._beacon_due(campaign, draw) is not None
            case state:
                return state in {DrawState.FREEZING, DrawState.DRAWN}

    async def _take_transition(self, campaign: Campaign, draw: Draw) -> None:
        match draw.state:
            case DrawState.OPEN:
                await self._freeze(campaign, draw)
            case DrawState.FREEZING:
                await (self._further_freezing if draw.further else self._freezing).finish(draw)
            case DrawState.FROZEN:
                await self._runner.run_if_possible(await self._ask_for_beacon(campaign, draw))
            case DrawState.DRAWN:
                await (self._further_publisher if draw.further else self._publisher).publish_if_drawn(draw)

    async def _freeze(self, campaign: Campaign, draw: Draw) -> None:
        try:
            await self._freezing.freeze(draw)
        except ListIncompleteError:
            self._incomplete[draw.id] = draw.changes
        except (ClocksDifferError, RoundPassedError, TooEarlyError, VaultKeyUnknownError, WrongStateError):
            # Staff see what the draw waits for (`blockers.waits`); another instance, with a better clock, may try.
            await self._leases.give_up(_lease(campaign), self._name)

    async def _ask_for_beacon(self, campaign: Campaign, draw: Draw) -> Draw:
        """Ask the relays if the beacon is due, and return the draw with the value if one had it."""
        beacon = self._beacon_due(campaign, draw)
        if beacon is None:
            return draw
        self._asked[draw.id] = self._clock.now()
        answer = await self._relays.ask(campaign.draw.relays, beacon)
        troubles = [RelayTrouble(relay, trouble) for relay, trouble in answer.troubles.items()]
        await self._draws.note_relay_troubles(draw, troubles)
        if answer.signature is None:
            _log.warning("beacon-missing", campaign=campaign.id, draw=draw.id, count=len(troubles))
            return draw
        try:
            return await self._randomness.enter_beacon(draw, answer.signature, SCHEDULE)
        except (InvalidRandomnessError, ClocksDifferError, ObjectionsOpenError, WrongStateError):
            return draw  # staff entered it meanwhile, or the relays are asked again

    def _beacon_due(self, campaign: Campaign, draw: Draw) -> BeaconRound | None:
        """Return the round to ask for, or None: from the round's time on, every ten seconds."""
        beacon = draw.manifest.beacon
        if not campaign.draw.relays or draw.lacks_dice or draw.beacon_signature is not None:
            return None
        now = self._clock.now()
        return beacon if now >= beacon.at and not self._asked_lately(draw.id, now) else None

    def _asked_lately(self, draw: DrawId, now: datetime) -> bool:
        """Return True if the relays were asked lately. A time in the future is one of a clock that was set back."""
        asked = self._asked.get(draw)
        return asked is not None and timedelta() <= now - asked < _ASK_AGAIN


def _lease(campaign: Campaign) -> str:
    return f"draw:{campaign.id}"
