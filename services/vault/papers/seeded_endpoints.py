"""Take seeded papers from the responsible handler: the scan of a sheet that the office wrote, and what stands on it."""

import asyncio
import base64
import binascii
import re
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.keystore import Keystore
from services.vault.papers.clamd import Scanner
from services.vault.papers.endpoints import KeyingBody
from services.vault.papers.keying import Keying
from services.vault.papers.problems import not_keyable
from services.vault.papers.sandbox import Sandbox
from services.vault.papers.seeded_repository import SeededPaper, SeededPapers, seeded_id
from services.vault.papers.settle import NotKeyableError
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId, Serial
from shared.paper_files import NotAPaperError
from shared.staff_roles import Right
from shared.storage import DuplicateKeyError, Store
from shared.web import BodyLimit, ProblemError, problem
from shared.web.sign_in.staff import Access, Staff

_FILE_BYTES: Final = 8 * 1024 * 1024
_PATH: Final = re.compile(r"/v1/campaigns/[^/]+/seeded-papers")
_PURPOSE: Final = "keying-quality"


class SeededBody(BaseModel):
    """Body of a seeded paper. `file`: the scan, base64; `known`: what stands on it, as a keyer would send it.

    `id`: made by the form, so that the request can be repeated when its answer is lost; None: each request stores one.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    channel: Literal["fax", "post"]
    serial: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,32}$")]
    file: Annotated[str, Field(max_length=_FILE_BYTES * 4 // 3 + 4)]
    known: KeyingBody
    id: uuid.UUID | None = None


def seeded_limit(access: Access) -> BodyLimit:
    """Return the limit of the route: a scan is larger than other bodies."""
    return BodyLimit(_PATH, most_bytes=_FILE_BYTES * 4 // 3 + 64 * 1024, longest_s=60.0, admit=access.admit)


def seeded_router(
    store: Store,
    keystore: Keystore,
    audit: AuditLog,
    campaigns: Mapping[CampaignId, Campaign],
    clock: Clock,
    keying: Keying,
    scanner: Scanner,
    access: Access,
) -> APIRouter:
    """Route POST …/seeded-papers, which scans a file before it is decoded, and GET, which tells how many there are."""
    router, sandbox = APIRouter(prefix="/v1/campaigns/{campaign}/seeded-papers", tags=["staff"]), Sandbox()
    guard = access.guard(Right.READ_KEYING_QUALITY)
    Responsible = Annotated[Staff, Depends(guard)]  # noqa: N806  (a type)

    def known_campaign(campaign: str) -> CampaignId:
        if CampaignId(campaign) not in campaigns:
            raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
        return CampaignId(campaign)

    Known = Annotated[CampaignId, Depends(known_campaign)]  # noqa: N806  (a type)

    @router.get("", dependencies=[Depends(guard)])
    async def count(campaign: Known) -> dict[str, Any]:
        return {"papers": await keying.seeded.count(campaign)}

    @router.post("")
    async def add(campaign: Known, body: SeededBody, staff: Responsible) -> dict[str, Any]:
        keys = keystore.campaign(campaign)
        try:
            file = base64.b64decode(body.file, validate=True)
            if await scanner.is_infected(file):
                await audit.record([_line(staff, campaign, None, "malware")])
                raise _infected()
            facts = await sandbox.inspect(file)
        except (binascii.Error, NotAPaperError):
            raise _no_paper() from None
        content = body.known.content()
        seeded = await asyncio.to_thread(
            SeededPaper.encrypt, keys, campaign, seeded_id(campaign, body.id), body.channel, Serial(body.serial),
            clock.now(), file, facts, content.in_one_width(),
        )  # fmt: skip
        try:
            keying.check(seeded.paper, content)
        except NotKeyableError as refusal:
            raise not_keyable(refusal.position, refusal.reasons) from None
        await _store_once(store, audit, keying.seeded, keys, seeded, staff)
        return {"papers": await keying.seeded.count(campaign)}

    return router


async def _is_stored(papers: SeededPapers, keys: CampaignKeys, seeded: SeededPaper) -> bool:
    """Return True if the paper is stored already. Raises 409 where another one has its id."""
    stored = await papers.whole(seeded.paper.campaign, seeded.paper.paper_id)
    if stored is not None and not await asyncio.to_thread(stored.repeats, seeded, keys):
        raise _stored_otherwise()
    return stored is not None


async def _store_once(
    store: Store, audit: AuditLog, papers: SeededPapers, keys: CampaignKeys, seeded: SeededPaper, staff: Staff
) -> None:
    """Store the paper after one audit line; a repeated request changes nothing. Raises 409 as `_is_stored` does."""
    if await _is_stored(papers, keys, seeded):
        return
    await audit.record([_line(staff, seeded.paper.campaign, keys.subject_of(seeded.paper.paper_id), "stored")])
    try:
        await store.transact(lambda uow: papers.insert(uow, seeded))
    except DuplicateKeyError:  # the same request, sent twice at the same time
        await _is_stored(papers, keys, seeded)


def _line(staff: Staff, campaign: CampaignId, subject: str | None, outcome: str) -> AuditEvent:
    return AuditEvent(staff.actor, "handler", "seed-paper", _PURPOSE, campaign, subject, outcome)


def _stored_otherwise() -> ProblemError:
    return problem(
        "stored-otherwise",
        409,
        "この見本の書類は、直す前の内容で保存されています",
        "下の一覧で削除してから、画面を開き直して、もう一度入れてください。",
        en="A paper with this id is stored with another file or content. Delete it, then store this one with a new id.",
    )


def _no_paper() -> ProblemError:
    return problem(
        "not-a-paper",
        422,
        "書類として読めません",
        "TIFF、PDF、JPEG、PNG のファイルを選んでください。",
        en="Send a TIFF, PDF, JPEG or PNG file as base64.",
    )


def _infected() -> ProblemError:
    return problem(
        "infected",
        422,
        "ウイルスが見つかったため、保存しませんでした",
        "用紙をもう一度読み取り、できたファイルを選んでください。",
        en="Malware was found in the file, and nothing was stored. Scan the sheet again and send that file.",
    )
