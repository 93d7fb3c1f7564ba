"""Run the vault's desk over a real database, without a broker: papers, keying, pages, and people who are signed in."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
from fastapi import FastAPI

from services.vault.applications.readings import NameReadings
from services.vault.applications.review import ReviewQueue
from services.vault.applications.search import DuplicateSearch
from services.vault.approvals import parts as approval_parts
from services.vault.approvals.parts import ApprovalParts
from services.vault.approvals.subjects import Subjects
from services.vault.desk.wiring import desk_routers
from services.vault.papers import repository as papers_repository
from services.vault.papers import wiring as papers_wiring
from services.vault.papers.clamd import Scanner
from services.vault.papers.repository import StoredPaper
from services.vault.papers.rules.states import PaperState
from services.vault.papers.wiring import Papers
from services.vault.people import parts as people_parts
from services.vault.people.access import VaultAccess
from services.vault.people.parts import People
from services.vault.people.wiring import people_routers
from shared.campaign import Campaign, KeyingMode
from shared.contracts import PaperReceived, PaperSettled
from shared.ids import KeyId, PaperId, Receipt, Serial, new_application_id
from shared.paper_files import inspect_file
from shared.postal_codes import PostalCodes
from shared.staff_roles import Role
from shared.typesetting import Typesetter
from shared.web import install_problems
from tests.support import fax_images
from tests.support.identity_builders import content
from tests.support.people_harness import OPERATIONS
from tests.support.staff_sign_in import ORIGINS, sign_in_at_vault
from tests.support.vault_parts import CAMPAIGN, Parts, parts

PAPERS = f"/v1/campaigns/{CAMPAIGN}/papers"
NO_SCANNER = Scanner(None)
HANDLERS = frozenset({Role.HANDLER})
FIRST, SECOND, THIRD, BOSS = "yamada-01", "sato-01", "kato-02", "suzuki-01"


class Desk:
    """The vault's desk over a database, and people who are signed in. `origins`: of the pages, with their port."""

    def __init__(
        self, vault: Parts, campaign: Campaign, origins: Mapping[str, str] = ORIGINS, scanner: Scanner = NO_SCANNER
    ) -> None:
        self.vault, self._count, self.origins = vault, 0, origins
        campaigns = {campaign.id: campaign}
        people = People.make(vault.store, vault.keystore, vault.audit, vault.clock, campaigns)
        self.papers = Papers.make(
            people, vault.keystore, vault.audit, vault.clock, campaigns, PostalCodes().municipalities, scanner,
            DuplicateSearch(vault.store, vault.keystore, vault.audit, NameReadings().of),
        )  # fmt: skip
        self.app = FastAPI()
        install_problems(self.app)
        self.access = VaultAccess(people, origins)
        self.app.include_router(self.papers.router(self.access, Typesetter().prints))
        gate = approval_parts.make_gate(vault.store, vault.audit, vault.keystore.signing)
        self.approvals = ApprovalParts.make(vault.store, people, vault.audit, gate, Subjects())
        review = ReviewQueue(vault.store, vault.keystore, vault.audit, vault.clock)
        for router in desk_routers(
            origins, people, self.approvals, vault.keystore, self.papers, review, vault.store, vault.clock
        ):
            self.app.include_router(router)
        pages, _ = people_routers(
            people, origins, vault.keystore.signing, None, self.approvals.count_waiting, OPERATIONS
        )
        for router in pages:
            self.app.include_router(router)

    async def person(self, staff_id: str, roles: Iterable[Role] = HANDLERS) -> "Handler":
        """Return the browser of a person who is on duty."""
        headers, origin = await self.headers(staff_id, roles), self.origins["vault"]
        client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=origin, headers=headers)
        return Handler(client, f"tab-of-{staff_id}")

    async def headers(self, staff_id: str, roles: Iterable[Role] = HANDLERS) -> dict[str, str]:
        """Return the headers of a person who is on duty; the cookie also serves a real browser."""
        vault = self.vault
        return await sign_in_at_vault(vault.store, vault.keystore, staff_id, roles, self.origins["vault"])

    async def paper(self, file: bytes | None = None, channel: Literal["fax", "post"] = "fax") -> PaperId:
        """Store a paper that waits to be keyed; without a file it is our sheet, as a fax."""
        self._count += 1
        file = file or fax_images.fax(98)
        event = PaperReceived(
            campaign=CAMPAIGN,
            paper_id=PaperId(new_application_id()),
            receipt=Receipt(f"{channel[0].upper()}-0000-{self._count:04}-0"),
            channel=channel,
            serial=Serial(f"{channel[0].upper()}-{self._count}"),
            key_id=KeyId("k1"),
            sealed="",
            received_at=datetime(2018, 5, 16, tzinfo=UTC),
        )
        paper = StoredPaper.encrypt(
            self.vault.keys,
            event,
            state=PaperState.WAITING,
            taken_at=self.vault.clock.now() + timedelta(seconds=self._count),
            content=file,
            facts=inspect_file(file),
        )
        await self.vault.store.db[papers_repository.COLLECTION].insert_one(paper.to_document())
        return paper.paper_id

    async def settled(self) -> list[PaperSettled]:
        """Return what was published about settled papers."""
        return [PaperSettled.model_validate(event) for event in await self.vault.said(PaperSettled)]

    async def actions(self) -> list[str]:
        """Return actor, action and outcome of each line of the audit log."""
        lines = [json.loads(line) for line in (await self.vault.audited()).splitlines()]
        return [f"{line['actor']} {line['action']} {line['outcome']}" for line in lines]


class Handler:
    """One person's browser."""

    def __init__(self, client: httpx.AsyncClient, tab: str) -> None:
        self.client, self.tab = client, tab

    async def take(self, *have: PaperId, tab: str | None = None) -> dict[str, Any] | None:
        """Ask for the next paper."""
        answer = await self.client.post(f"{PAPERS}/next", json={"tab": tab or self.tab, "have": list(have)})
        handed: dict[str, Any] | None = answer.raise_for_status().json()["paper"]
        return handed

    async def key(self, paper: PaperId, *forms: dict[str, Any], **body: Any) -> httpx.Response:
        """Key a paper as the page does; without a tab as a program does."""
        whole = {"decision": "keyed", "applications": forms, "tab": self.tab} | body
        return await self.client.post(f"{PAPERS}/{paper}", json={k: v for k, v in whole.items() if v is not None})


def form(**changes: str | int | None) -> dict[str, Any]:
    """Return the content of a paper; None leaves a member of the applicant out."""
    sheet = content()
    sheet["applicant"] = {k: v for k, v in (sheet["applicant"] | changes).items() if v is not None and k != "email"}
    return {name: value for name, value in sheet.items() if name != "code"}


@asynccontextmanager
async def opened(
    mongo_url: str,
    namespace: str,
    folder: Path,
    mode: KeyingMode = "twice",
    origins: Mapping[str, str] = ORIGINS,
    scanner: Scanner = NO_SCANNER,
) -> AsyncIterator[Desk]:
    """Run a desk over an empty database."""
    collections = [*papers_wiring.collections(), *people_parts.collections(), *approval_parts.collections()]
    async with parts(mongo_url, namespace, folder, collections) as vault:
        yield Desk(vault, vault.campaign.model_copy(update={"keying": mode}), origins, scanner)
