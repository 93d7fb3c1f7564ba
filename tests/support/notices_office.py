"""Pages of one notifier in a thread, without a broker, for tests in a browser."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Page

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.collections import COLLECTIONS
from services.notifier.overview import Overview
from services.notifier.pages.notices import NoticePages, notices_router, notifier_renderer
from services.notifier.pages.telephone import telephone_router
from services.notifier.repository import NoticeRepository
from services.notifier.rules.notice import Notice
from services.notifier.rules.states import NoticeState
from shared.campaign import load_campaign
from shared.clock import FixedClock
from shared.contracts import Contact
from shared.ids import CampaignId, NoticeId, Receipt, new_token
from shared.storage import Store
from shared.web import install_problems
from shared.web.sign_in import session_repository as sign_in
from tests.support.staff_sign_in import PlayedVault
from tests.support.vault_parts import SAMPLE

CAMPAIGN = load_campaign(SAMPLE)
NOW = datetime(2018, 6, 9, tzinfo=UTC)


@dataclass(frozen=True)
class NoticesOffice:
    """Page of one notifier, and the work of others on its database."""

    vault: PlayedVault
    clock: FixedClock
    mongo_url: str
    database: str

    def do(self, work: Callable[[Store], Awaitable[object]]) -> None:
        """Run the function on the database as the notifier would."""

        async def run() -> None:
            store = Store.open(self.mongo_url, self.database)
            try:
                await work(store)
            finally:
                await store.close()

        with ThreadPoolExecutor(1) as pool:  # this thread's loop is the browser's
            pool.submit(lambda: asyncio.run(run())).result(60)

    def add(self, kind: str, channel: str, state: NoticeState, count: int, **more: object) -> None:
        """Add notices in this state."""
        notices = [_notice(kind, channel, state, **more) for _ in range(count)]
        self.do(lambda store: NoticeRepository(store.db).insert_missing(notices))

    def add_call(self, receipt: Receipt, kind: str, state: NoticeState, **more: object) -> Notice:
        """Add a notice that waits for a call, with its applicant's receipt number; return it."""
        notice = _notice(kind, "post", state, **more)
        contact = Contact(receipt=receipt, token=notice.token, contact="post", status="complete", version=1, revision=1)

        async def write(store: Store) -> None:
            await ApplicantRepository(store.db).save_contacts(CAMPAIGN.id, [contact])
            await NoticeRepository(store.db).insert_missing([notice])

        self.do(write)
        return notice

    @property
    def url(self) -> str:
        """Address of the pages."""
        return self.vault.site

    def sign_in(self, page: Page, path: str) -> None:
        """Open a staff page by way of the vault's sign-in page."""
        page.goto(path)
        page.wait_for_url(f"**{path}")


def _notice(kind: str, channel: str, state: NoticeState, **more: object) -> Notice:
    token, notice = new_token(), NoticeId(f"n-{new_token()[4:24]}")
    facts = {
        "id": notice,
        "campaign": CAMPAIGN.id,
        "token": token,
        "kind": kind,
        "n": 1,
        "channel": channel,
        "way": "mail" if channel == "mail" else "card",
        "state": state,
        "document": notice,
        "created_at": NOW,
        "next_at": NOW,
    }
    return Notice.model_validate(facts | more)


@contextmanager
def run_page(mongo_url: str, database: str, home: Path) -> Iterator[NoticesOffice]:
    """Serve the page in a thread, without a broker."""
    clock = FixedClock(CAMPAIGN.notify_by - timedelta(hours=50))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        vault = PlayedVault(listener.getsockname()[1], home, service="notifier")
        office = NoticesOffice(vault, clock, mongo_url, database)
        office.do(lambda store: store.ensure([*COLLECTIONS, *sign_in.collections()]))
        store, app = Store.open(mongo_url, database), FastAPI()
        install_problems(app)
        pages = NoticePages(
            {CampaignId(CAMPAIGN.id): CAMPAIGN},
            store,
            Overview(store.db, clock),
            clock,
            notifier_renderer(),
            vault.access(store),
        )
        app.include_router(notices_router(pages))
        app.include_router(telephone_router(pages))
        vault.serve_beside(app)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield office
        finally:
            server.should_exit = True
            thread.join(20)
            store.db.client.close()
            office.do(lambda store: store.db.client.drop_database(database))
