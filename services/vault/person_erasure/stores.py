"""Count and delete what the vault holds of one person; nothing of it opens again, since its data key goes with it."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

from services.vault.applications import act_repository, index_repository, pair_repository, subject_request_repository
from services.vault.applications import repository as register
from services.vault.deliveries import left_out_repository, published_draws_repository, slips_repository
from services.vault.deliveries import repository as deliveries
from services.vault.identities import repository as identities
from services.vault.papers import draft_repository, keying_repository
from services.vault.papers import repository as papers
from services.vault.person_erasure.repository import PersonNames
from services.vault.printroom import repository as print_repository
from shared.contracts import StoreErasure
from shared.erasure import judge_store
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.storage import Store, UnitOfWork

_SHARED_PAPER: Final = "a paper with other people on it is kept until the close-out"
_SHARED_CARDS: Final = "cards are kept in batches with other people's until the close-out"


class PersonStores:
    """Records about one person in the vault's database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def count(self, campaign: CampaignId, names: PersonNames) -> dict[str, int]:
        """Return the number of records by store."""
        return {
            store: await self._store.db[store].count_documents({**query, "campaign": campaign})
            for store, query in queries_about(names).items()
        }

    async def own_papers(self, campaign: CampaignId, names: PersonNames) -> tuple[str, ...]:
        """Return the papers that hold nobody else, also those from which everybody else was erased."""
        query = {"campaign": campaign, "application_ids": [names.application_id or "-"]}
        found = [row["_id"] async for row in self._store.db[papers.COLLECTION].find(query, {"_id": 1})]
        return tuple(dict.fromkeys((*names.papers, *found)))

    async def delete(self, campaign: CampaignId, names: PersonNames) -> None:
        """Delete them. What names others, too, loses this person only. Safe to repeat."""
        db, of_campaign, own = self._store.db, {"campaign": campaign}, names.application_id or "-"
        for store, query in queries_about(names).items():
            selected = {**query, **of_campaign}
            if store == index_repository.COLLECTION:
                await db[store].update_many(selected, {"$pull": {"contents": names.content}})
                await db[store].delete_many({**of_campaign, "contents": []})
            elif store == subject_request_repository.COLLECTION:
                await db[store].update_many(selected, {"$set": {"application_id": ""}})
            elif store == deliveries.COLLECTION:
                await db[store].delete_many({**selected, "$or": [{"bulk": False}, {"tokens": [names.token]}]})
                await db[store].update_many(selected, {"$pull": _of_token(names.token or "-")})
            elif store == slips_repository.SLIPS:
                await self._store.transact(partial(self._delete_slips, campaign=campaign, selected=selected))
            else:
                await db[store].delete_many(selected)
        shared = {**of_campaign, "application_ids": own}
        await db[papers.COLLECTION].update_many(shared, {"$pull": {"application_ids": own}})

    async def _delete_slips(self, uow: UnitOfWork, campaign: CampaignId, selected: JsonObject) -> None:
        """Delete the person's slips and keep their number alone: the draw's entries are counted against its slips."""
        numbers = await slips_repository.SlipRepository(self._store).remove(uow, selected)
        await published_draws_repository.PublishedDrawRepository(self._store).count_erased(uow, campaign, numbers)

    async def unseparable(self, campaign: CampaignId, names: PersonNames) -> list[StoreErasure]:
        """Return rows about ciphertexts that hold other people, too: PENDING until the campaign's key is destroyed.

        It is called before the deletion, which removes what leads to them.
        """
        shared = {"campaign": campaign, "application_ids": names.application_id or "", "application_ids.1": _EXISTS}
        on_papers = await self._store.db[papers.COLLECTION].count_documents(shared)
        query = {"tokens": names.token or "", "channel": "card", "campaign": campaign}
        notices = await self._store.db[deliveries.COLLECTION].distinct("notice", query)
        printed = {"campaign": campaign, "printed": {"$in": notices}}
        batches = await self._store.db[print_repository.BATCHES].count_documents(printed)
        rows = [_pending(papers.COLLECTION, on_papers, _SHARED_PAPER)] if on_papers else []
        cards = _pending(print_repository.CHUNKS, batches, _SHARED_CARDS)
        return [*rows, cards if batches else judge_store(print_repository.CHUNKS, 0, 0)]


_EXISTS: Final = {"$exists": True}


def _of_token(token: str) -> JsonObject:
    """Return what an announcement to many holds of one recipient: its keys and slots begin with the token."""
    beginning = {"$regex": f"^{re.escape(token)}:"}
    return {"tokens": token, "keys": beginning, "slots": beginning, "refused": {"token": token}}


def queries_about(names: PersonNames) -> Mapping[str, JsonObject]:
    """Return the query of each store, without the campaign."""
    application, token, content = names.application_id or "", names.token or "", names.content or ""
    own_papers = {"$in": list(names.papers)}
    return {
        identities.COLLECTION: {"_id": token},
        register.COLLECTION: {"_id": application},
        act_repository.COLLECTION: {"application_id": application or "-"},
        subject_request_repository.COLLECTION: {"application_id": application or "-"},
        index_repository.COLLECTION: {"contents": content},
        pair_repository.COLLECTION: {"contents": content},
        draft_repository.COLLECTION: {"$or": [{"_id": application}, {"paper_id": own_papers}]},
        keying_repository.KEYINGS: {"paper_id": own_papers},
        papers.COLLECTION: {"_id": own_papers},
        deliveries.COLLECTION: {"tokens": token},
        left_out_repository.COLLECTION: {"_id": token},
        slips_repository.SLIPS: {"_id": token},
    }


def _pending(store: str, left: int, note: str) -> StoreErasure:
    return StoreErasure(store=store, before=left, after=left, residue=0, result="PENDING", note=note)
