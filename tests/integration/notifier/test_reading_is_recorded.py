"""Staff read the notices of one application: who read whose is told to the vault's audit log, before it is shown."""

from pathlib import Path

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from services.notifier import handlers
from services.notifier.overview import Overview
from services.notifier.pages.notices import NoticePages, notices_router, notifier_renderer
from shared.clock import FixedClock
from shared.contracts import StaffActed
from shared.storage import OUTBOX
from shared.web import install_problems
from shared.web.sign_in import session_repository
from tests.support.notifier_harness import NotifierHarness, by_mail
from tests.support.staff_sign_in import DEFAULT, ORIGINS, sign_in_at, staff_access


async def test_who_reads_the_notices_of_one_application_is_recorded(prepared: NotifierHarness, tmp_path: Path) -> None:
    store, clock, campaign = prepared.store, FixedClock(prepared.campaign.notify_by), prepared.campaign
    await store.ensure(session_repository.collections())
    known, unknown = by_mail(2)
    await store.transact(lambda uow: handlers.on_contacts(prepared.contacts([known]), uow))
    access, app = staff_access("notifier", store, tmp_path), FastAPI()
    pages = NoticePages({campaign.id: campaign}, store, Overview(store.db, clock), clock, notifier_renderer(), access)
    install_problems(app)
    app.include_router(notices_router(pages))
    signed_in = await sign_in_at(store, "notifier")
    async with AsyncClient(transport=ASGITransport(app), base_url=ORIGINS["notifier"], headers=signed_in) as http:
        for path in (f"receipts/{unknown.receipt}", "receipts/W-0000-0000-9", "", f"receipts/{known.receipt}"):
            await http.get(f"/notices/{campaign.id}/{path}".rstrip("/"))
        shown = await http.get(f"/en/notices/{campaign.id}/receipts/{known.receipt}")
    assert shown.status_code == 200
    rows = [row async for row in store.db[OUTBOX].find({"name": StaffActed.name})]
    events = [StaffActed.model_validate_json(row["body"]) for row in rows]
    read = [(event.campaign, item.sub, item.act, item.case) for event in events for item in event.items]
    assert read == [(campaign.id, DEFAULT, "read-notices", known.receipt)] * 2
