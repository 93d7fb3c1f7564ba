"""Lottery processes on one real database, and the people whose entries they draw."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.lottery.draw import handlers
from services.lottery.draw import repository as ledger
from services.lottery.draw.freeze import Freezing
from services.lottery.draw.public_endpoints import Published
from services.lottery.draw.randomness_entry import Chance, Dice
from services.lottery.draw.redraw import Redrawing
from services.lottery.draw.relays import Relays
from services.lottery.draw.run import Drawing
from services.lottery.keys import LotteryKeys
from services.lottery.places import repository as places
from services.lottery.results.publish import Publishing
from services.lottery.scheduler import Schedule
from shared.campaign import Campaign
from shared.clock import Clock, FixedClock
from shared.contracts import (
    AcceptedApplication,
    ApplicationsAccepted,
    Choice,
    ReceiptsClosed,
)
from shared.ids import ApplicationId, new_application_id, new_token
from shared.receipts import candidates
from shared.storage import OUTBOX, Store
from tests.support.draw_builders import DICE

PEOPLE = 350
WITNESSES = ["甲", "乙"]


@dataclass(frozen=True)
class Office:
    """One lottery process's parts, on a database that others share."""

    store: Store
    freezing: Freezing
    chance: Chance
    drawing: Drawing
    publishing: Publishing
    schedule: Schedule
    redrawing: Redrawing
    published: Published


@dataclass(frozen=True)
class Town:
    campaign: Campaign
    clock: FixedClock
    offices: tuple[Office, ...]
    ids: tuple[ApplicationId, ...]

    @property
    def office(self) -> Office:
        return self.offices[0]


def new_office(url: str, database: str, keys: LotteryKeys, clock: Clock, campaign: Campaign) -> Office:
    store = Store.open(url, database)
    campaigns = {campaign.id: campaign}
    freezing, chance = Freezing(store, keys, clock, campaigns), Chance(store, clock)
    drawing, publishing = Drawing(store, keys, clock), Publishing(store, keys, campaigns)
    schedule = Schedule(
        store,
        clock,
        freezing=freezing,
        chance=chance,
        relays=Relays(timeout_s=0.6),
        drawing=drawing,
        publishing=publishing,
    )
    redrawing = Redrawing(store, clock, campaigns)
    published = Published(store, keys, campaigns)
    return Office(store, freezing, chance, drawing, publishing, schedule, redrawing, published)


@asynccontextmanager
async def town_of(campaign: Campaign, url: str, database: str, folder: Path) -> AsyncIterator[Town]:
    """Three processes at the draw time; nobody has applied yet."""
    clock, keys = FixedClock(campaign.draw.at), LotteryKeys(folder)
    offices = tuple(new_office(url, database, keys, clock, campaign) for _ in range(3))
    try:
        await offices[0].store.ensure([*ledger.collections(), *places.collections()])
        await ledger.ensure_draws(offices[0].store, [campaign])
        yield Town(campaign, clock, offices, tuple(new_application_id() for _ in range(PEOPLE)))
    finally:
        for each in offices:
            await each.store.close()


def accepted(town: Town, ids: tuple[ApplicationId, ...], revision: int = 1) -> list[ApplicationsAccepted]:
    classes = town.campaign.classes
    items = [
        AcceptedApplication(
            application_id=each,
            receipt=next(candidates("web", each)),
            token=new_token(),
            channel="web",
            choices=tuple(
                Choice(class_id=classes[(number + step) % 7].id, seats=classes[(number + step) % 7].seats[0])
                for step in range(1 + number % 3)
            ),
            revision=revision,
        )
        for number, each in enumerate(ids)
    ]
    return [
        ApplicationsAccepted(campaign=town.campaign.id, items=tuple(items[at : at + 100]))
        for at in range(0, len(items), 100)
    ]


async def everybody_is_in(town: Town) -> None:
    closed = ReceiptsClosed(campaign=town.campaign.id, part=1, parts=1, total=len(town.ids), application_ids=town.ids)
    await town.office.store.transact(lambda uow: handlers.on_accepted(accepted(town, town.ids), uow))
    await town.office.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))


async def drawn(town: Town) -> None:
    await everybody_is_in(town)
    await town.office.freezing.freeze(town.campaign.id)
    await town.office.chance.give_dice(town.campaign.id, Dice(DICE, DICE, WITNESSES), "yamada")
    assert await town.office.drawing.draw_if_possible(town.campaign.id)


async def said(town: Town) -> list[dict]:
    lines = await town.office.store.db[OUTBOX].find({"name": "results.published"}).to_list(None)
    return [json.loads(line["body"]) for line in lines]
