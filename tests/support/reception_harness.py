"""A lottery whose results are out, as far as reception needs it: places, passes, staff, and a clock to move."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from services.lottery.draw import collections as draws
from services.lottery.draw import handlers
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.result import Result
from services.lottery.keys import LotteryKeys
from services.lottery.pages.reception import ReceptionPages, reception_pages_router
from services.lottery.pages.site import lottery_renderer, site_router
from services.lottery.places import repository as places
from services.lottery.reception import repository as reception
from services.lottery.reception.endpoints import reception_router
from services.lottery.reception.noshows import NoShows
from services.lottery.reception.overview import Overview
from services.lottery.reception.repository import ReceptionRepository
from services.lottery.reception.service import ReceptionService
from services.lottery.record.manifest import draw_id
from services.lottery.record.passes import make_pass, write_pass
from shared.campaign import Campaign
from shared.clock import FixedClock
from shared.codes import EntryId
from shared.contracts import ApplicationsAccepted, SlipOutcome
from shared.ids import ClassId, Receipt
from shared.storage import Store, UnitOfWork
from shared.web import install_problems
from shared.web.sign_in import session_repository as sign_in
from tests.support.applicants import Applicant, new_applicant
from tests.support.draw_builders import sample_campaign
from tests.support.service_keys import keys_dir
from tests.support.staff_sign_in import PlayedVault, sign_in_at, staff_access

FOOTBALL, FOOD = ClassId("junior-football"), ClassId("parent-child-food")
"""Football begins at ten; the food class takes pairs and begins half an hour later."""


class RunningClock(FixedClock):
    """Runs on from where it is put, as a rehearsal's does."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self._put = time.monotonic()

    def now(self) -> datetime:
        return self.at + timedelta(seconds=time.monotonic() - self._put)


@dataclass(frozen=True)
class Guest:
    """An application with what it won or waits for, and its passes by class."""

    applicant: Applicant
    passes: dict[str, str]

    @property
    def entry(self) -> EntryId:
        """Entry id."""
        return self.applicant.entry

    @property
    def receipt(self) -> Receipt:
        """Receipt number."""
        return self.applicant.receipt


class ReceptionHarness:
    def __init__(self, store: Store, folder: Path, *, release: bool = False, running: bool = False) -> None:
        self.store, self.keys = store, LotteryKeys(keys_dir())
        sample = sample_campaign()
        rules = sample.reception.model_copy(update={"release": release})
        self.campaign: Campaign = sample.model_copy(update={"reception": rules})
        self.starts: datetime = self.campaign.classes[0].starts
        at = self.starts - timedelta(minutes=20)
        self.clock = RunningClock(at) if running else FixedClock(at)
        self.folder = folder
        self.staff: dict[str, str] = {}
        self.dies_after: int | None = None
        self.released: list[tuple[EntryId, ClassId]] = []
        self.no_shows = NoShows(store, self.clock, self._given_up)

    def app(self, vault: PlayedVault | None = None) -> FastAPI:
        """Return the app; with pages where people can sign in at a vault."""
        campaigns = {self.campaign.id: self.campaign}
        desk = ReceptionService(self.store, self.keys, self.clock, campaigns)
        access = staff_access("lottery", self.store, self.folder) if vault is None else vault.access(self.store)
        app = FastAPI()
        install_problems(app)
        app.include_router(
            reception_router(campaigns, desk, Overview(self.store), self.clock, self.keys.believed, access)
        )
        if vault is not None:
            renderer = lottery_renderer()
            app.include_router(site_router(renderer, access))
            app.include_router(
                reception_pages_router(ReceptionPages(campaigns, Overview(self.store), self.clock, renderer, access))
            )
            vault.serve_beside(app)
        return app

    async def open(self) -> None:
        await self.store.ensure(
            [*draws.collections(), *places.collections(), *reception.collections(), *sign_in.collections()]
        )
        await DrawRepository(self.store).ensure([self.campaign.id])
        await ReceptionRepository(self.store).ensure_counters([self.campaign.id])

    async def guest(self, **outcomes: Any) -> Guest:
        """`guest(junior_football="won")`: seats as the class takes them."""
        applicant = new_applicant(self.campaign.id)
        results = tuple(self._outcome(key.replace("_", "-"), outcome) for key, outcome in outcomes.items())
        passes = {each.class_id: self._pass(applicant.entry, each) for each in results if each.outcome == "won"}
        result = Result(applicant.entry, applicant.receipt, applicant.token, results)
        chosen = ((each.class_id, each.seats) for each in results)
        event = ApplicationsAccepted(campaign=self.campaign.id, items=(applicant.accepted(chosen),))
        draw = draw_id(self.campaign.id, 1)
        await self.store.transact(lambda uow: handlers.on_accepted([event], uow))
        await self.store.transact(lambda uow: places.PlaceRepository(uow).add_results(self.campaign.id, draw, [result]))
        return Guest(applicant, dict(passes))

    def _outcome(self, class_id: str, outcome: str) -> SlipOutcome:
        event_class = self.campaign.event_class(class_id)
        assert event_class is not None
        position = 1 if outcome == "waiting" else None
        return SlipOutcome.model_validate(
            {"class_id": class_id, "outcome": outcome, "seats": event_class.seats[0], "position": position}
        )

    def _pass(self, entry: EntryId, outcome: SlipOutcome) -> str:
        shown = make_pass(self.campaign, bytes.fromhex(entry), outcome.class_id, outcome.seats)
        return write_pass(self.keys.signing, self.campaign.id, shown)

    async def _given_up(
        self, _: UnitOfWork, __: object, entry: EntryId, class_id: ClassId, reason: str, at: datetime
    ) -> None:
        assert (reason, at) == ("no-show", self.starts + timedelta(minutes=15))
        if self.dies_after == len(self.released):
            raise ConnectionError
        self.released.append((entry, class_id))


@asynccontextmanager
async def run_reception(url: str, database: str, folder: Path, **more: Any) -> AsyncIterator[ReceptionHarness]:
    async with Store.open(url, database) as store:
        harness = ReceptionHarness(store, folder, **more)
        await harness.open()
        harness.staff = await sign_in_at(store, "lottery", "sato")
        yield harness
