"""What the notifier keeps: contacts, results, offers, and one notice per application and occasion. No person is in any.

Occasions: `rejected`, the draw whose result it tells, and each step after the draw that somebody must hear of. A draw
that corrects another has results of its own, which take the place of those that have not gone out yet.
"""

import contextlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from services.notifier.rules.states import STARTS, NoticeState, before
from services.notifier.rules.texts import Kind, is_regret
from shared.contracts import Contact, Outcome, PlaceOffer, Result
from shared.ids import ApplicationId, CampaignId, DrawId, NoticeId
from shared.storage import Collection, DuplicateKeyError, Index, Store, UnitOfWork, UpdateOne

CONTACTS, RESULTS, NOTICES, PRINT_BATCHES = "contacts", "results", "notices", "print_batches"
OFFERS = "offers"
PERSONAL = (CONTACTS, RESULTS, OFFERS, NOTICES, PRINT_BATCHES)
"""What an erasure removes."""

REJECTED = "rejected"
"""The occasion of a refusal; all others come with the event that makes them."""

MEETINGS = "meetings"
"""One line per campaign, written by everyone who joins contacts and results; so of two at once one sees the other."""


def collections() -> list[Collection]:
    notice = {
        "bsonType": "object",
        "required": ["_id", "campaign", "application_id", "token", "occasion", "kind", "channel", "state"],
        "properties": {
            "kind": {"enum": ["rejected", "result", "regret", "offer"]},
            "channel": {"enum": ["mail", "post"]},
            "state": {"enum": list(NoticeState)},
            "token": {"bsonType": "string", "pattern": "^tok_"},
            "attempts": {"bsonType": "int", "minimum": 0},
            "next_at": {"bsonType": "date"},
        },
    }
    work = Index((("state", 1), ("kind", 1), ("next_at", 1)))
    once = Index((("application_id", 1), ("occasion", 1)), unique=True)
    by_state = Index((("campaign", 1), ("state", 1)))
    return [
        Collection(CONTACTS, None, (Index("campaign"),)),
        Collection(RESULTS, None, (Index("campaign"),)),
        Collection(OFFERS, None, (Index("campaign"), Index("application_id"))),
        Collection(
            NOTICES,
            notice,
            (once, work, by_state, Index("batch_id"), Index("claim")),
            retired=("application_id_1",),
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
    """Keep contacts; rejected people get their notice at once, others where what they are told is here already."""
    await _meet(uow, campaign)
    writes = [
        UpdateOne({"_id": contact.application_id}, {"$set": {"campaign": campaign, **_plain(contact)}}, upsert=True)
        for contact in contacts
    ]
    await uow.db[CONTACTS].bulk_write(writes, session=uow.session)
    known = {contact.application_id: contact for contact in contacts}
    accepted = [name for name, contact in known.items() if contact.status == "accepted"]
    results = uow.db[RESULTS].find({"_id": {"$in": accepted}}, session=uow.session)
    offers = uow.db[OFFERS].find({"application_id": {"$in": list(known)}}, session=uow.session)
    notices = [_notice(campaign, contact, "rejected", REJECTED) for contact in contacts if contact.status == "rejected"]
    notices += [_notice(campaign, known[each["_id"]], _kind(each), each["draw"]) async for each in results]
    notices += [_notice(campaign, known[each["application_id"]], "offer", each["occasion"]) async for each in offers]
    await _put_notices(uow, notices)


async def put_results(uow: UnitOfWork, campaign: CampaignId, draw: DrawId, results: Sequence[Result]) -> None:
    """Keep results, and make the notices of those whose contact is known. Those of an earlier draw come too late."""
    await _meet(uow, campaign)
    known = await _drawn(uow, [result.application_id for result in results])
    newest = [each for each in results if number_of(known.get(each.application_id)) <= number_of(draw)]
    if not newest:
        return
    writes = [
        UpdateOne(
            {"_id": result.application_id},
            {"$set": {"campaign": campaign, "draw": draw, **_plain(result)}},
            upsert=True,
        )
        for result in newest
    ]
    await uow.db[RESULTS].bulk_write(writes, session=uow.session)
    corrected = [each.application_id for each in newest if known.get(each.application_id, draw) != draw]
    await _replace(uow, corrected)
    contacts = await _contacts(uow, [result.application_id for result in newest], "accepted")
    kinds = {result.application_id: _kind(_plain(result)) for result in newest}
    await _put_notices(uow, [_notice(campaign, contact, kinds[name], draw) for name, contact in contacts.items()])


async def put_offers(uow: UnitOfWork, campaign: CampaignId, draw: DrawId, offers: Sequence[PlaceOffer]) -> None:
    """Keep what became of places after the draw, and make the notices. Those of a corrected draw come too late."""
    await _meet(uow, campaign)
    known = await _drawn(uow, [offer.application_id for offer in offers])
    newest = [each for each in offers if number_of(known.get(each.application_id)) <= number_of(draw)]
    if not newest:
        return
    writes = [
        UpdateOne(
            {"_id": f"{offer.application_id}/{offer.occasion}"},
            {"$set": {"campaign": campaign, "draw": draw, **offer.model_dump(mode="json")}},
            upsert=True,
        )
        for offer in newest
    ]
    await uow.db[OFFERS].bulk_write(writes, session=uow.session)
    contacts = await _contacts(uow, [offer.application_id for offer in newest])
    await _put_notices(uow, [
        _notice(campaign, contacts[offer.application_id], "offer", offer.occasion)
        for offer in newest
        if offer.application_id in contacts
    ])  # fmt: skip


async def _drawn(uow: UnitOfWork, ids: Sequence[ApplicationId]) -> dict[ApplicationId, DrawId]:
    """The draw whose result each application was given last."""
    found = uow.db[RESULTS].find({"_id": {"$in": list(ids)}}, {"draw": 1}, session=uow.session)
    return {each["_id"]: each["draw"] async for each in found}


async def _contacts(
    uow: UnitOfWork, ids: Sequence[ApplicationId], status: str | None = None
) -> dict[ApplicationId, Contact]:
    wanted = {"_id": {"$in": list(ids)}, **({"status": status} if status else {})}
    found = uow.db[CONTACTS].find(wanted, session=uow.session)
    return {each["_id"]: contact_of(each) async for each in found}


async def _replace(uow: UnitOfWork, ids: Sequence[ApplicationId]) -> None:
    """A newer result tells them; what has not gone out yet of the draw that was corrected stays here."""
    if ids:
        wanted, change = moving(NoticeState.REPLACED)
        waiting = {"application_id": {"$in": list(ids)}, "occasion": {"$ne": REJECTED}, **wanted}
        await uow.db[NOTICES].update_many(waiting, change, session=uow.session)


async def _put_notices(uow: UnitOfWork, notices: Sequence[dict[str, Any]]) -> None:
    """Once per application and occasion: what is there stays as it is."""
    writes = [
        UpdateOne(
            {"application_id": notice["application_id"], "occasion": notice["occasion"]},
            {"$setOnInsert": notice},
            upsert=True,
        )
        for notice in notices
    ]
    if writes:
        await uow.db[NOTICES].bulk_write(writes, session=uow.session)


def _notice(campaign: CampaignId, contact: Contact, kind: Kind, occasion: str) -> dict[str, Any]:
    now = wall_now()
    return {
        "_id": new_notice_id(),
        "campaign": campaign,
        "application_id": contact.application_id,
        "token": contact.token,
        "occasion": occasion,
        "kind": kind,
        "channel": contact.contact,
        "mail_domain_class": contact.mail_domain_class,
        "state": STARTS[contact.contact],
        "attempts": 0,
        "next_at": now,
        "created_at": now,
    }


def number_of(draw: DrawId | None) -> int:
    """Draws of a campaign are counted: the id ends with the number. 0: none yet."""
    return 0 if draw is None else int(draw.rpartition("-")[2])


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


def offer_of(document: dict[str, Any]) -> PlaceOffer:
    values = {name: value for name, value in document.items() if name not in {"_id", "campaign", "draw"}}
    return PlaceOffer.model_validate(values)


def _plain(value: Contact | Result) -> dict[str, Any]:
    return value.model_dump(mode="json", exclude={"application_id"})


def moving(to: NoticeState, **values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Filter and change of a transition: from where the table allows it only."""
    return {"state": {"$in": before(to)}}, {"$set": {"state": to, **values}}
