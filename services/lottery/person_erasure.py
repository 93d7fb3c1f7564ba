"""Erase one applicant at the lottery: entry, outcomes, places and scans; the receipt stays withdrawn, without an entry.

Before the draw the entry is out of it. After the draw the person's places are given up, so that the next one moves up;
they stay without a receipt, since positions of others count them. The published list stays, and nobody can link it to
the person any more (R-C11).
"""

from typing import Final

from services.lottery.draw.collections import ENTRIES, OUTCOMES
from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.entry import Entry, receipt_key
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.places.moves import withdraw_all
from services.lottery.places.repository import PLACES
from services.lottery.reception.repository import SCANS
from services.lottery.slips import SlipSigner
from shared.clock import Clock
from shared.contracts import PersonErasureRequested
from shared.erasure import NOBODY, KnownNames
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.storage import Store, UnitOfWork

PERSON_STORES: Final = (ENTRIES, OUTCOMES, PLACES, SCANS)
LAST_REVISION: Final = 2**31 - 1
"""Revision of an erased receipt: no verdict follows it."""


class LotteryPeople:
    """Count and delete what the lottery holds of one applicant."""

    def __init__(self, store: Store, clock: Clock, signer: SlipSigner) -> None:
        self._store, self._clock, self._signer = store, clock, signer

    async def close(self, request: PersonErasureRequested, uow: UnitOfWork) -> KnownNames | None:
        """Take the entry out before the draw, give its places up after it; None while a draw is under way.

        It writes the draw's document, so that of an erasure and a correction at the same time one sees the other.
        """
        draw = await DrawRepository(uow).find(request.campaign)
        if draw is not None and draw.state not in {DrawState.OPEN, DrawState.PUBLISHED}:
            return None
        known = await EntryRepository(uow).find(request.campaign, request.receipt)
        await FollowUpRepository(uow).count_erased_person(request.campaign)
        if draw is not None and draw.state is DrawState.OPEN:
            await DrawRepository(uow).change_entries(request.campaign)
        elif draw is not None and known is not None and known.entry is not None:
            try:
                await withdraw_all(uow, request.campaign, known.entry, self._clock.now(), self._signer)
            except WrongStateError:
                return None
        places = await uow.db[PLACES].distinct("_id", _of_receipt(request), session=uow.session)
        await self._put_withdrawn(request, known, uow)
        token, entry = (None, None) if known is None else (known.token, known.entry)
        return KnownNames(_names(request.receipt, token), _names(entry, *places))

    async def _put_withdrawn(self, request: PersonErasureRequested, known: Entry | None, uow: UnitOfWork) -> None:
        """Write the receipt as withdrawn. What links it to its entry goes with the deletion."""
        entry = Entry(
            receipt=request.receipt,
            campaign=request.campaign,
            state="rejected",
            version=request.version,
            channel=request.channel,
            revision=LAST_REVISION,
            entry=None if known is None else known.entry,
            verdict="withdrawn",
        )
        values = {name: value for name, value in entry.to_document().items() if name != "_id"} | {"erased": True}
        key = {"_id": receipt_key(request.campaign, request.receipt)}
        await uow.db[ENTRIES].update_one(key, {"$set": values}, upsert=True, session=uow.session)

    async def count(self, campaign: CampaignId, names: frozenset[str]) -> dict[str, int]:
        """Return the number of records in each store; an entry counts while anything links it to the receipt."""
        return {
            store: await self._store.db[store].count_documents(query)
            for store, query in _about(campaign, names).items()
        }

    async def delete(self, campaign: CampaignId, names: frozenset[str]) -> None:
        """Delete the records, and what names the person in those that stay. Safe to repeat."""
        for store, query in _about(campaign, names).items():
            if store in _EMPTIED:
                await self._store.db[store].update_many(query, {"$set": _EMPTIED[store]})
            else:
                await self._store.db[store].delete_many(query)


_EMPTIED: Final = {ENTRIES: {"entry": None}, PLACES: {"receipt": NOBODY}}
"""Members that are overwritten in records that stay."""


def _names(*ids: str | None) -> frozenset[str]:
    return frozenset(filter(None, ids))


def _of_receipt(request: PersonErasureRequested) -> JsonObject:
    return {"campaign": request.campaign, "receipt": request.receipt}


def _about(campaign: CampaignId, names: frozenset[str]) -> dict[str, JsonObject]:
    known, of_campaign = {"$in": sorted(names)}, {"campaign": campaign}
    return {
        ENTRIES: {**of_campaign, "entry": known},
        OUTCOMES: {**of_campaign, "receipt": known},
        PLACES: {**of_campaign, "receipt": known},
        SCANS: {**of_campaign, "place": known},
    }
