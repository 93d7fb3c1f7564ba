"""What the notifier keeps: contacts, results, and one notice per application. No person is in any of it."""

import contextlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from services.notifier.states import STARTS, NoticeState, before
from services.notifier.texts import Kind, is_regret
from shared.contracts import Contact, Outcome, Result
from shared.ids import CampaignId, NoticeId
from shared.storage import Collection, DuplicateKeyError, Index, Store, UnitOfWork, UpdateOne

CONTACTS, RESULTS, NOTICES, PRINT_BATCHES = "contacts", "results", "notices", "print_batches"
PERSONAL = (CONTACTS, RESULTS, NOTICES, PRINT_BATCHES)
"""What an erasure removes."""

MEETINGS = "meetings"
"""One line per campaign, written by everyone who joins contacts and results; so of two at once one sees the other."""


def collections() -> list[Collection]:
    notice = {
        "bsonType": "object",
        "required": ["_id", "campaign", "application_id", "token", "kind", "channel", "state", "attempts", "next_at"],
        "properties": {
            "kind": {"enum": ["rejected", "result", "regret"]},
            "channel": {"enum": ["mail", "post"]},
            "state": {"enum": list(NoticeState)},
            "token": {"bsonType": "string", "pattern": "^tok_"},
            "attempts": {"bsonType": "int", "minimum": 0},
            "next_at": {"bsonType": "date"},
        },
    }
    work = Index((("state", 1), ("kind", 1), ("next_at", 1)))
    once = Index("application_id", unique=True)
    return [
        Collection(CONTACTS, None, (Index("campaign"),)),
        Collection(RESULTS, None, (Index("campaign"),)),
        Collection(
            NOTICES, notice, (once, work, Index((("campaign", 1), ("state", 1))), Index("batch_id"), Index("claim"))
        ),
        Collection(PRINT_BATCHES, None, (Index("campaign"),)),
        Collection(MEETINGS),
    ]


async def ensure_meetings(store: Store, campaigns: Iterable[CampaignId]) -> None:
    """At every start, before anything is heard."""
    for campaign in campaigns:
        with contextlib.suppress(DuplicateKeyError):
            await store.db[MEETINGS].update_one({"_id": campaign}, {"$setOnInsert": {"joins": 0}}, upsert=True)


async def _meet(uow: UnitOfWork, campaign: CampaignId) -> None:
    """A contact and a result that come at the same moment must not miss each other: neither would see the other."""
    await uow.db[MEETINGS].update_one({"_id": campaign}, {"$inc": {"joins": 1}}, session=uow.session)


def wall_now() -> datetime:
    """Leases and waits run on the machine's clock, not on the campaign's."""
    return datetime.now(UTC)


async def put_contacts(uow: UnitOfWork, campaign: CampaignId, contacts: Sequence[Contact]) -> None:
    """Keep contacts; rejected people get their notice at once, accepted ones where their result is here already."""
    await _meet(uow, campaign)
    writes = [
        UpdateOne({"_id": contact.application_id}, {"$set": {"campaign": campaign, **_plain(contact)}}, upsert=True)
        for contact in contacts
    ]
    await uow.db[CONTACTS].bulk_write(writes, session=uow.session)
    rejected = [contact for contact in contacts if contact.status == "rejected"]
    accepted = {contact.application_id: contact for contact in contacts if contact.status == "accepted"}
    found = uow.db[RESULTS].find({"_id": {"$in": list(accepted)}}, session=uow.session)
    results = {document["_id"]: document async for document in found}
    notices = [_notice(campaign, contact, "rejected") for contact in rejected]
    notices += [_notice(campaign, accepted[name], _kind(document)) for name, document in results.items()]
    await _put_notices(uow, notices)


async def put_results(uow: UnitOfWork, campaign: CampaignId, results: Sequence[Result]) -> None:
    """Keep results, and make the notices of those whose contact is known."""
    await _meet(uow, campaign)
    writes = [
        UpdateOne({"_id": result.application_id}, {"$set": {"campaign": campaign, **_plain(result)}}, upsert=True)
        for result in results
    ]
    await uow.db[RESULTS].bulk_write(writes, session=uow.session)
    ids = [result.application_id for result in results]
    found = uow.db[CONTACTS].find({"_id": {"$in": ids}, "status": "accepted"}, session=uow.session)
    contacts = {document["_id"]: contact_of(document) async for document in found}
    kinds = {result.application_id: _kind(_plain(result)) for result in results}
    await _put_notices(uow, [_notice(campaign, contact, kinds[name]) for name, contact in contacts.items()])


async def _put_notices(uow: UnitOfWork, notices: Sequence[dict[str, Any]]) -> None:
    """Once per application: what is there stays as it is."""
    writes = [
        UpdateOne({"application_id": notice["application_id"]}, {"$setOnInsert": notice}, upsert=True)
        for notice in notices
    ]
    if writes:
        await uow.db[NOTICES].bulk_write(writes, session=uow.session)


def _notice(campaign: CampaignId, contact: Contact, kind: Kind) -> dict[str, Any]:
    now = wall_now()
    return {
        "_id": new_notice_id(),
        "campaign": campaign,
        "application_id": contact.application_id,
        "token": contact.token,
        "kind": kind,
        "channel": contact.contact,
        "mail_domain_class": contact.mail_domain_class,
        "state": STARTS[contact.contact],
        "attempts": 0,
        "next_at": now,
        "created_at": now,
    }


def new_notice_id() -> NoticeId:
    """Random, for mail servers see it beside the address, and application ids are public (`docs/protocols.md` §2)."""
    return NoticeId(f"n-{secrets.token_hex(10)}")


def _kind(result: dict[str, Any]) -> Kind:
    return "regret" if is_regret(outcomes_of(result)) else "result"


def outcomes_of(result: dict[str, Any]) -> list[Outcome]:
    return [Outcome.model_validate(outcome) for outcome in result["outcomes"]]


def contact_of(document: dict[str, Any]) -> Contact:
    values = {name: value for name, value in document.items() if name not in {"_id", "campaign"}}
    return Contact.model_validate({**values, "application_id": document["_id"]})


def _plain(value: Contact | Result) -> dict[str, Any]:
    return value.model_dump(mode="json", exclude={"application_id"})


def moving(to: NoticeState, **values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Filter and change of a transition: from where the table allows it only."""
    return {"state": {"$in": before(to)}}, {"$set": {"state": to, **values}}
