"""Lottery processes on one real database, and the people whose entries they draw."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.lottery.draw import collections as draws
from services.lottery.draw import handlers
from services.lottery.draw.approval_params import params_of_freeze, params_of_later_round, params_of_redraw
from services.lottery.draw.collections import ENTRIES
from services.lottery.draw.dice_taking import DiceTaking
from services.lottery.draw.freeze import FreezeService, IncompleteFreeze
from services.lottery.draw.later_round import LaterRoundService
from services.lottery.draw.public_endpoints import PublicDraws
from services.lottery.draw.randomness_entry import RandomnessService
from services.lottery.draw.redraw import Correction, RedrawService
from services.lottery.draw.relays import RelayClient
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.roll_repository import RollRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.run import DrawRunner
from services.lottery.further.freeze_round import FurtherFreeze
from services.lottery.further.open_round import FurtherRounds
from services.lottery.further.publish_round import FurtherPublisher
from services.lottery.keys import LotteryKeys
from services.lottery.places import repository as places
from services.lottery.results.publish import ResultPublisher
from services.lottery.scheduler import DrawScheduler
from services.lottery.slips import SlipSigner
from shared.approvals import ApprovalKind, used
from shared.campaign import Campaign
from shared.clock import Clock, FixedClock
from shared.contracts import ApplicationsAccepted, DuplicatesSearched
from shared.ids import CampaignId, DrawId
from shared.json_types import JsonObject
from shared.searched_list import name_list
from shared.staff_roles import Role
from shared.storage import OUTBOX, Store
from tests.support.applicants import Applicant, new_applicant, roll_of
from tests.support.chance import DICE, acts_of, entered, value_of
from tests.support.executed_approvals import pinned_key_of_the_tests, presented
from tests.support.service_keys import keys_dir

PEOPLE = 350


@dataclass(frozen=True)
class Office:
    """Parts of one lottery process, on a database that others share; it looks after one campaign."""

    settings: Campaign
    store: Store
    freezing: FreezeService
    randomness: RandomnessService
    runner: DrawRunner
    publisher: ResultPublisher
    scheduler: DrawScheduler
    redrawing: RedrawService
    dice: DiceTaking
    later_rounds: LaterRoundService
    published: PublicDraws
    further: FurtherRounds
    further_freezing: FurtherFreeze
    further_publisher: FurtherPublisher

    @property
    def campaign(self) -> CampaignId:
        return self.settings.id

    async def draw(self) -> Draw:
        """Return the present draw."""
        return await DrawRepository(self.store).get(self.campaign)

    async def search(self) -> None:
        """Take the vault's word that it searched the present list."""
        await say_searched(self.store, self.campaign)

    async def freeze(self) -> None:
        """Freeze the present draw, which the vault has searched."""
        await self.search()
        await self.freezing.freeze(await self.draw())

    async def freeze_incomplete(self, reason: str) -> None:
        """Freeze the present draw's list by a fresh approval, whether or not it is complete."""
        draw = await self.draw()
        params = params_of_freeze(draw, await RollRepository(self.store).readiness(self.campaign))
        approval = presented(ApprovalKind.FREEZE_INCOMPLETE, self.campaign, params)
        await self.freezing.freeze(draw, IncompleteFreeze(reason, Role.HANDLER, approval))

    async def close(self) -> None:
        """Close the present draw's list, which the vault has searched, without writing it down."""
        await self.search()
        await self.freezing.close(await self.draw())

    async def finish(self) -> bool:
        """Write down and sign the present draw's list."""
        draw = await self.draw()
        return await (self.further_freezing if draw.further else self.freezing).finish(draw)

    async def enter_dice(self, digits: str = DICE) -> bool:
        """Take the acts of all witnesses of the present draw; return True if they are complete."""
        draw = await self.draw()
        if draw.has_manifest:
            await self.take(draw, acts_of(draw.manifest.dice_rule, digits))
        return (await self.draw()).dice == digits

    async def take(self, draw: Draw, acts: Sequence[JsonObject]) -> None:
        """Take acts as they come from the vault."""
        events = entered(draw.manifest, acts)
        await self.store.transact(lambda uow: self.dice.on_entered(events, uow))

    async def enter_chance(self, digits: str = DICE, actor: str = "yamada") -> None:
        """Take the acts of all witnesses, and the beacon's value of the round."""
        await self.enter_dice(digits)
        await self.enter_beacon(value_of((await self.draw()).manifest.beacon.round), actor)

    async def begin_later(self) -> DrawId:
        """Give the present draw up by a fresh approval and begin the next one with a later round."""
        draw = await self.draw()
        params = params_of_later_round(draw, self.settings)
        approval = presented(ApprovalKind.LATER_ROUND, self.campaign, params)
        return await self.later_rounds.begin(draw, Role.HANDLER, approval)

    async def enter_beacon(self, signature: str, actor: str) -> None:
        """Enter the beacon's value of the present draw."""
        await self.randomness.enter_beacon(await self.draw(), signature, actor)

    async def run(self) -> bool:
        """Compute the present draw's result."""
        return await self.runner.run_if_possible(await self.draw())

    async def publish(self) -> bool:
        """Publish the present draw's results."""
        draw = await self.draw()
        return await (self.further_publisher if draw.further else self.publisher).publish_if_drawn(draw)

    def scheduler_at(self, clock: Clock) -> DrawScheduler:
        """Return a scheduler of this process that reads another clock."""
        return DrawScheduler(
            self.store,
            clock,
            freezing=self.freezing,
            randomness=self.randomness,
            relays=RelayClient(timeout_s=3.0),
            runner=self.runner,
            publisher=self.publisher,
            further_freezing=self.further_freezing,
            further_publisher=self.further_publisher,
        )

    async def open_further_round(self) -> DrawId:
        """Open a further round by a fresh approval."""
        draw = await self.draw()
        seats = await self.further.seats(draw)
        params = seats.approval_params() if seats else {}
        approval = presented(ApprovalKind.FURTHER_ROUND, self.campaign, params)
        return await self.further.open(draw, Role.HANDLER, approval)

    async def redraw(self, reason: str = "dice fell off the table", *, reopen: bool = False) -> DrawId:
        """Give the present draw up by a fresh approval and begin the next one."""
        draw = await self.draw()
        approval = presented(ApprovalKind.REDRAW, self.campaign, params_of_redraw(draw, reopen=reopen))
        return await self.redrawing.redraw(draw, Correction(reason, Role.HANDLER, reopen), approval)


@dataclass(frozen=True)
class Town:
    campaign: Campaign
    clock: FixedClock
    offices: tuple[Office, ...]
    people: tuple[Applicant, ...]

    @property
    def office(self) -> Office:
        return self.offices[0]


def new_office(url: str, database: str, keys: LotteryKeys, clock: Clock, campaign: Campaign) -> Office:
    """Return the parts of a lottery process. The caller closes its store."""
    store, campaigns, pinned = Store.open(url, database), {campaign.id: campaign}, pinned_key_of_the_tests()
    freezing, randomness = FreezeService(store, keys, clock, campaigns, pinned), RandomnessService(store, clock)
    runner, publisher = DrawRunner(store, keys, clock), ResultPublisher(store, SlipSigner(keys, campaigns))
    further_freezing = FurtherFreeze(store, freezing, campaigns)
    further_publisher = FurtherPublisher(store, SlipSigner(keys, campaigns))
    scheduler = DrawScheduler(
        store,
        clock,
        freezing=freezing,
        randomness=randomness,
        relays=RelayClient(timeout_s=3.0),
        runner=runner,
        publisher=publisher,
        further_freezing=further_freezing,
        further_publisher=further_publisher,
    )
    redrawing, published = RedrawService(store, clock, campaigns, pinned), PublicDraws(store, keys, campaigns)
    dice, later = DiceTaking(store, clock), LaterRoundService(store, clock, campaigns, pinned)
    parts = (store, freezing, randomness, runner, publisher, scheduler, redrawing, dice, later, published)
    rounds = FurtherRounds(store, clock, campaigns, pinned)
    return Office(campaign, *parts, rounds, further_freezing, further_publisher)


@asynccontextmanager
async def town_of(campaign: Campaign, url: str, database: str) -> AsyncIterator[Town]:
    """Run three processes at the draw time, before any application."""
    clock, keys = FixedClock(campaign.draw.at), LotteryKeys(keys_dir())
    offices = tuple(new_office(url, database, keys, clock, campaign) for _ in range(3))
    async with offices[0].store, offices[1].store, offices[2].store:
        await offices[0].store.ensure([*draws.collections(), *places.collections(), *used.collections()])
        await DrawRepository(offices[0].store).ensure([campaign.id])
        yield Town(campaign, clock, offices, tuple(new_applicant(campaign.id) for _ in range(PEOPLE)))


def accepted(town: Town, people: Sequence[Applicant], revision: int = 1) -> list[ApplicationsAccepted]:
    """Return the vault's verdicts: each of these people asks for one to three classes."""
    classes = town.campaign.classes
    items = [
        applicant.accepted(
            (
                (classes[(number + step) % 7].id, classes[(number + step) % 7].seats[0])
                for step in range(1 + number % 3)
            ),
            revision=revision,
        )
        for number, applicant in enumerate(people)
    ]
    return [
        ApplicationsAccepted(campaign=town.campaign.id, items=tuple(items[at : at + 100]))
        for at in range(0, len(items), 100)
    ]


async def everybody_is_in(town: Town) -> None:
    closed = roll_of(town.campaign.id, town.people)
    await town.office.store.transact(lambda uow: handlers.on_accepted(accepted(town, town.people), uow))
    await town.office.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))
    event = await searched(town.office.store, town.campaign.id)
    await town.office.store.transact(lambda uow: handlers.on_duplicates_searched([event], uow))


async def searched(store: Store, campaign: CampaignId) -> DuplicatesSearched:
    """Return what the vault says once it has searched the applications that the lottery has now."""
    query = {"campaign": campaign, "state": {"$in": ["accepted", "held"]}}
    listed = [(one["receipt"], one["version"], one["revision"]) async for one in store.db[ENTRIES].find(query)]
    return DuplicatesSearched(campaign=campaign, list_sha256=name_list(listed), applications=len(listed))


async def say_searched(store: Store, campaign: CampaignId) -> None:
    """Take the vault's word that it searched the list that the lottery has now."""
    event = await searched(store, campaign)
    await store.transact(lambda uow: handlers.on_duplicates_searched([event], uow))


async def drawn(town: Town) -> None:
    await everybody_is_in(town)
    await town.office.freeze()
    await town.office.enter_chance()
    assert await town.office.run()


async def said(town: Town) -> list[dict]:
    lines = await town.office.store.db[OUTBOX].find({"name": "results.published"}).to_list(None)
    return [json.loads(line["body"]) for line in lines]


async def published_draws(town: Town) -> list[tuple[str, int | None]]:
    """Return id and number of entries of each draw that the lottery published."""
    lines = await town.office.store.db[OUTBOX].find({"name": "draw.published"}).sort("_id", 1).to_list(None)
    bodies = [json.loads(line["body"]) for line in lines]
    return [(body["draw"], body["entries"]) for body in bodies]
