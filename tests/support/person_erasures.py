"""Order the erasure of a person at the vault's pages, and answer it as the other services do."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from httpx import AsyncClient

from services.vault.deliveries.rules.delivery import Delivery, Outcome
from services.vault.deliveries.rules.states import DeliveryState
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.papers.repository import StoredPaper
from services.vault.papers.rules.states import PaperState
from services.vault.person_erasure.rules.certificate import REQUIRED
from shared.contracts import (
    NoticeDocument,
    PaperReceived,
    PersonErased,
    PersonErasureRequested,
    RecipientRefusal,
    StoreErasure,
)
from shared.erasure import PERSON_ANSWER_CONTEXT, answer_document
from shared.ids import new_application_id
from shared.storage import OUTBOX, PERSON_TOMBSTONES, Store
from tests.integration.vault.test_subject_requests import REGISTER, handler_and_ward, record, request_id
from tests.support.people_harness import DAY
from tests.support.service_keys import service_key
from tests.support.telephone_harness import TelephoneDesk
from tests.support.vault_parts import CAMPAIGN, Known

OTHERS = ("intake", "lottery", "notifier")
OLD = timedelta(minutes=2)
"""Older than any transaction of the database."""


def answer(service: str, erasure_id: str, *, left: int = 0, signer: str | None = None) -> PersonErased:
    """Return a service's answer; `left`: records left in its first store; `signer`: whose key signs it."""
    first, *others = sorted(REQUIRED[service])
    rows = [
        StoreErasure(store=first, before=1, after=left, residue=left, result="FAIL" if left else "PASS"),
        *(StoreErasure(store=store, before=1, after=0, residue=0, result="PASS") for store in others),
    ]
    draft = PersonErased(
        campaign=CAMPAIGN, erasure_id=erasure_id, service=service, tombstone="2018-05-20T00:00:00Z",
        stores=tuple(rows), key="0" * 16, signature="A" * 86,
    )  # type: ignore[arg-type]  # fmt: skip
    signed = service_key(signer or service).sign_document(PERSON_ANSWER_CONTEXT, answer_document(draft))
    return PersonErased.model_validate_json(json.dumps(signed))


async def asked(store: Store) -> list[PersonErasureRequested]:
    """Return what the vault asks of the other services."""
    lines = store.db[OUTBOX].find({"name": PersonErasureRequested.name}).sort("_id", 1)
    return [PersonErasureRequested.model_validate_json(line["body"]) async for line in lines]


async def granted(desk: TelephoneDesk, known: Known) -> tuple[AsyncClient, AsyncClient, str]:
    """Return the browsers of handler and ward, and the request that the ward granted."""
    handler, ward = await handler_and_ward(desk)
    await record(handler, known, kind="erasure")
    one = await request_id(handler)
    assert (await ward.post(f"{REGISTER}/{one}", data={"to": "granted"})).status_code == 303
    return handler, ward, one


async def order(browser: AsyncClient, one: str, typed: str) -> int:
    """Send the form with the typed receipt number; return the status."""
    return (await browser.post(f"{REGISTER}/{one}/erasure", data={"typed": typed})).status_code


async def age_tombstones(store: Store) -> None:
    """Let the tombstones of people be older than any transaction of the database."""
    await store.db[PERSON_TOMBSTONES].update_many({}, {"$set": {"at": datetime.now(UTC) - OLD}})


async def answered(desk: TelephoneDesk, *answers: PersonErased) -> None:
    """Hand the answers to the vault, and let it go on when the tombstone is old enough."""
    store = desk.staff.store
    await store.transact(lambda uow: desk.erasing.on_erased(answers, uow))
    await age_tombstones(store)
    await desk.erasing.carry_out(desk.register.campaign)


def announcement(*people: Known) -> dict[str, Any]:
    """Return the row of an announcement by mail to these people, which the mail server refused for the first."""
    tokens = [one.token for one in people]
    document = NoticeDocument.model_validate(
        {"notice": "n-1", "campaign": CAMPAIGN, "kind": "weather", "channel": "mail", "attempt": 1, "n": 1,
         "params": {}, "tokens": tokens, "token": None, "slip": None}
    )  # fmt: skip
    refused = (RecipientRefusal(token=tokens[0], code=550),)
    return Delivery(document, Outcome(DeliveryState.SENT, 250, refused), slot=1).to_row() | {
        "refused": [one.model_dump() for one in refused]
    }


def shared_paper(keys: CampaignKeys, *people: Known) -> dict[str, Any]:
    """Return a paper from which these people were keyed."""
    event = PaperReceived(
        campaign=CAMPAIGN, paper_id=new_application_id(), receipt="F-7K3M-9Q2P-6", channel="fax", serial="00001",
        key_id="k1", sealed="", received_at=DAY,
    )  # type: ignore[arg-type]  # fmt: skip
    paper = StoredPaper.encrypt(keys, event, state=PaperState.KEYED, taken_at=DAY, content=b"a paper")
    return paper.to_document() | {"application_ids": [one.application_id for one in people]}
