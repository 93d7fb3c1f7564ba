"""Run the vault's pages of people on a real database, without a broker: accounts, sign-in, and other browsers."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from argon2 import PasswordHasher
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from pyotp import TOTP

from services.vault.approvals import parts as approval_parts
from services.vault.approvals.gate import VaultApprovalGate
from services.vault.approvals.parts import ApprovalParts
from services.vault.approvals.subjects import Subjects
from services.vault.approvals.wiring import approval_routers, approval_web, listener_app
from services.vault.audit import AuditLog
from services.vault.dice import wiring as dice_parts
from services.vault.dice.wiring import Dice
from services.vault.keys.keystore import Keystore
from services.vault.mail.session import MailServer, SmtpSession
from services.vault.people import parts
from services.vault.people.access import VaultAccess
from services.vault.people.pages import TEXTS
from services.vault.people.pages.operations import Operations
from services.vault.people.parts import People
from services.vault.people.password_hashes import PasswordHashes
from services.vault.people.repository import ACCOUNTS
from services.vault.people.rules.account import StaffId
from services.vault.people.staff_mail_repository import MAILS
from services.vault.people.staff_mail_sender import StaffMailOffice, StaffMailSender
from services.vault.people.wiring import people_routers
from services.vault.records.endpoints import audit_router
from services.vault.records.new_log import NewAuditLog
from services.vault.records.wiring import record_routers
from shared.campaign import load_campaign
from shared.clock import FixedClock
from shared.contracts import StaffChanged
from shared.ids import CampaignId
from shared.messaging.parking import Parked
from shared.messaging.queue_pages import cut_page
from shared.paging import PageRequest
from shared.storage import OUTBOX, Store
from shared.typesetting import Typesetter
from shared.web import RequestLimits, install_problems
from shared.web.health import HealthReport
from shared.web.pages import catalogues_with
from tests.support.databases import own_database

SAMPLE = Path("deploy/campaigns/777-days.yaml")
VAULT, LOTTERY = "http://vault.localhost:8104", "http://lottery.localhost:8102"
APPROVE = "http://vault.localhost:8114"
ORIGINS = {"vault": VAULT, "lottery": LOTTERY}
SETUP_TOKEN = "first-start-of-the-tests"
PASSWORD = "tulip bicycle harbour seven"
DAY = datetime(2018, 5, 20, 3, tzinfo=UTC)

RESPONSIBLE = {
    "id": "suzuki-01", "name": "鈴木花子", "office": "株式会社くじ", "mail": "suzuki@example.jp",
    "starts": "2018-05-15", "ends": "2018-06-22", "course": "個人情報保護研修", "held": "2018-05-10",
    "valid_until": "2019-03-31", "teacher": "田中一郎", "pledged": "2018-05-11",
}  # fmt: skip
WARD = {**RESPONSIBLE, "id": "mori-01", "name": "森次郎", "office": "オリンピック課", "mail": "mori@example.jp"}
HANDLER = {**RESPONSIBLE, "id": "yamada-01", "name": "山田太郎", "mail": "yamada@example.jp", "roles": "handler"}


PARKED = Parked("0" * 32, "application.received", "e-1", "vault.application.received", 4, "ValueError", "2018-05-20")
PARKED_LATER = replace(PARKED, id="1" * 32)
REPORT = HealthReport({"broker": True, "store": True, "keys": True}, {"untrusted_messages": 0})


async def _report() -> HealthReport:
    return REPORT


async def _depths() -> dict[str, int]:
    return {"vault.application.received": 0, "vault.parked": 1}


async def _parked(wanted: PageRequest) -> tuple[list[Parked], str | None]:
    async def each() -> AsyncIterator[Parked]:
        for message in PARKED, PARKED_LATER:
            yield message

    return await cut_page(each(), wanted, lambda message: message.id)


OPERATIONS = Operations(_report, _depths, _parked)
"""State of a service with two parked messages."""


@dataclass
class PeopleHarness:
    """A vault's pages, and the secrets of the people who signed in."""

    app: FastAPI
    people: People
    store: Store
    clock: FixedClock
    keystore: Keystore
    audit: AuditLog
    approvals: ApprovalParts
    gate: VaultApprovalGate
    listener: FastAPI
    dice: Dice

    def browser(self, origin: str = VAULT, address: str = "127.0.0.1") -> AsyncClient:
        """Return a browser without cookies that sends our own pages' forms."""
        headers = {"origin": origin}
        transport = ASGITransport(self.app, client=(address, 40_000))
        return AsyncClient(transport=transport, base_url=origin, headers=headers, timeout=30)

    async def first(self) -> dict[str, str]:
        """Make the first two accounts and return their codes by role."""
        async with AsyncClient(transport=ASGITransport(self.app), base_url=VAULT, timeout=30) as setup:
            body = {"responsible": RESPONSIBLE, "ward": WARD}
            headers = {"authorization": f"Bearer {SETUP_TOKEN}"}
            made = (await setup.post("/v1/people/first", json=body, headers=headers)).raise_for_status().json()
        return {role: made[role]["code"] for role in ("responsible", "ward")}

    async def accept(self, browser: AsyncClient, staff_id: str, code: str, password: str = PASSWORD) -> Response:
        """Use an invitation with this browser; return the answer to the last form."""
        page = await browser.post("/sign-in/invitation", data={"id": staff_id, "code": code})
        assert page.status_code == 200, page.text
        secret = re.search(r'id="secret">([A-Z2-7 ]+)<', page.text)
        assert secret is not None
        fields = {
            "id": staff_id,
            "invitation": code,
            "password": password,
            "password_again": password,
            "code": TOTP(secret[1].replace(" ", "")).now(),
        }
        return await browser.post("/sign-in/factors", data=fields)

    async def sign_in(self, browser: AsyncClient, staff_id: str, **changed: str) -> Response:
        """Send the sign-in form with right values, except those that are changed."""
        fields = {"id": staff_id, "password": PASSWORD, "code": await self.fresh_code(staff_id)}
        return await browser.post("/sign-in", data={**fields, **changed})

    async def fresh_code(self, staff_id: str) -> str:
        """Return a code that was not used, as the person's app would half a minute later."""
        await self.store.db[ACCOUNTS].update_one({"_id": staff_id}, {"$set": {"totp_step": 0}})
        return await self.code_now(staff_id)

    async def code_now(self, staff_id: str) -> str:
        """Return the code that the person's app shows now."""
        stored = await self.people.accounts.find(StaffId(staff_id))
        assert stored is not None
        assert stored.factors.totp is not None
        return TOTP(stored.factors.totp).now()

    async def set_up(self) -> tuple[AsyncClient, AsyncClient]:
        """Return the browsers of the responsible handler and of the ward's officer, both signed in."""
        codes, browsers = await self.first(), (self.browser(), self.browser())
        for browser, staff_id, role in zip(browsers, ("suzuki-01", "mori-01"), ("responsible", "ward"), strict=True):
            assert (await self.accept(browser, staff_id, codes[role])).status_code == 303
        return browsers

    async def changes(self) -> list[StaffChanged]:
        """Return the published changes of staff, oldest first."""
        lines = self.store.db[OUTBOX].find({"name": StaffChanged.name}).sort("_id", 1)
        return [StaffChanged.model_validate_json(line["body"]) async for line in lines]

    def mail_sender(self, port: int) -> StaffMailSender:
        """Return a sender of staff mail to the server at this port of the machine."""
        office = StaffMailOffice("運営事務局", "office@kuji.example", VAULT)
        session = SmtpSession(MailServer("127.0.0.1", port, "none", 5))
        return StaffMailSender(self.people.mails, self.people.accounts, session, office, catalogues_with(TEXTS))

    async def queued_mails(self) -> list[tuple[str, str, str]]:
        """Return kind, account and receiver of each mail to staff that waits, and forget them."""
        lines = [line async for line in self.store.db[MAILS].find().sort("_id", 1)]
        await self.store.db[MAILS].delete_many({})
        return sorted((line["kind"], line["about"], line["to"]) for line in lines)

    async def stored(self) -> str:
        """Return everything that lies in the database, as the driver shows it."""
        names = await self.store.db.list_collection_names()
        return "\n".join([repr(found) for name in names async for found in self.store.db[name].find()])


@asynccontextmanager
async def running(
    mongo_url: str,
    namespace: str,
    folder: Path,
    origins: Mapping[str, str] = ORIGINS,
    subjects: Subjects | None = None,
) -> AsyncIterator[PeopleHarness]:
    """Run the pages on a campaign day on which everybody of the samples is on duty."""
    async with own_database(mongo_url, f"{namespace}_vault") as store:
        yield await _prepare(store, folder, origins, subjects)


async def restarted(vault: PeopleHarness, folder: Path) -> PeopleHarness:
    """Return the pages of another process over the same database and key folder."""
    return await _prepare(vault.store, folder, ORIGINS, None)


async def _prepare(store: Store, folder: Path, origins: Mapping[str, str], subjects: Subjects | None) -> PeopleHarness:
    """Return the pages over a database."""
    campaign = load_campaign(SAMPLE)
    clock, keystore = FixedClock(DAY), Keystore.open(folder / "keys", "a passphrase of the tests")
    audit = AuditLog(store, keystore.signing, clock, folder / "checkpoints")
    cheap = PasswordHashes(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    people = People.make(store, keystore, audit, clock, {CampaignId(campaign.id): campaign}, cheap)
    await store.ensure([*parts.collections(), *approval_parts.collections(), *dice_parts.collections()])
    (folder / "token").write_text(SETUP_TOKEN, "utf-8")
    gate = approval_parts.make_gate(store, audit, keystore.signing)
    approvals = ApprovalParts.make(store, people, audit, gate, subjects or Subjects())
    routers, limits = people_routers(
        people, origins, keystore.signing, folder / "token", approvals.count_waiting, OPERATIONS
    )
    web = approval_web(people, origins, keystore.signing, approvals)
    campaigns = {CampaignId(campaign.id): campaign}
    more, more_limits = approval_routers(web, approvals, campaigns)
    records = record_routers(origins, people, approvals, audit, keystore.signing, Typesetter(), campaigns)
    listener = listener_app(web, APPROVE if origins is ORIGINS else origins["vault"], approvals, campaigns)
    app = FastAPI()
    install_problems(app)
    access = VaultAccess(people, origins)
    app.add_middleware(RequestLimits, staff=access.admit, routes=[*limits, *more_limits])
    log = audit_router(audit, NewAuditLog(store, audit, gate), access)
    dice = Dice.make(store, audit, keystore.signing, clock, campaigns)
    ceremony = dice.routers(access, people, origins, approvals.count_waiting)
    for router in [*routers, *more, *records, *ceremony, log]:
        app.include_router(router)
    return PeopleHarness(app, people, store, clock, keystore, audit, approvals, gate, listener, dice)


def later(days: int) -> datetime:
    """Return the campaign's day some days later."""
    return DAY + timedelta(days=days)
