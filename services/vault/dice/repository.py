"""Store ceremonies and the acts of their witnesses: one act for each person and draw, and no more than witnesses."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.vault.dice.rules.ceremony import Ceremony, DiceRefusedError, Entered
from shared.contracts import DiceRequested
from shared.errors import PermanentError
from shared.ids import CampaignId, DrawId
from shared.json_types import JsonObject
from shared.storage import Collection, DuplicateKeyError, Index, Store, UnitOfWork

CEREMONIES: Final = "dice_ceremonies"
ACTS: Final = "dice_acts"


class CeremonyRepository:
    """Reads and writes ceremonies, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._ceremonies, self._acts = at.db[CEREMONIES], at.db[ACTS]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def put(self, event: DiceRequested) -> None:
        """Store what the lottery asked for; a repetition changes nothing.

        Raises PermanentError for another draw under the number of one that is known.
        """
        document = {
            "campaign": event.campaign,
            "number": event.number,
            "manifest_sha256": event.manifest_sha256,
            "opens": event.opens.isoformat(),
            "round_at": event.round_at.isoformat(),
            "witnesses": event.witnesses,
        }
        change = {"$setOnInsert": document}
        try:
            await self._ceremonies.update_one({"_id": event.draw}, change, upsert=True, session=self._session)
        except DuplicateKeyError:
            raise PermanentError("another draw of the campaign has this number") from None

    async def find(self, campaign: CampaignId, draw: DrawId) -> Ceremony | None:
        """Return a ceremony of the campaign, or None."""
        return next((one for one in await self.of(campaign) if one.draw == draw), None)

    async def of(self, campaign: CampaignId) -> list[Ceremony]:
        """Return the ceremonies of the campaign by the number of their draw; only the last one takes digits."""
        found = self._ceremonies.find({"campaign": campaign}, session=self._session).sort("number", 1)
        documents = await found.to_list(None)
        acts = await self._acts.find({"campaign": campaign}, session=self._session).sort("slot", 1).to_list(None)
        return [_ceremony(one, acts, last=one is documents[-1]) for one in documents]

    async def add(self, uow: UnitOfWork, ceremony: Ceremony, entered: Entered, act: JsonObject) -> None:
        """Store an act as the next one of the ceremony. Raises DiceRefusedError where another one was faster."""
        document = {
            "_id": act["id"],
            "campaign": ceremony.campaign,
            "draw": ceremony.draw,
            "by": entered.by,
            "role": entered.role,
            "at": entered.at.isoformat(),
            "slot": len(ceremony.entered),
        }
        try:
            await self._acts.insert_one(document, session=uow.session)
        except DuplicateKeyError:
            raise DiceRefusedError("entered-before") from None


def collections() -> list[Collection]:
    """Return the collections to prepare. An act is once for person and draw; its slot ends the list of witnesses."""
    once = Index((("draw", 1), ("by", 1)), unique=True)
    slot = Index((("draw", 1), ("slot", 1)), unique=True)
    return [
        Collection(CEREMONIES, None, (Index((("campaign", 1), ("number", 1)), unique=True),)),
        Collection(ACTS, None, (once, slot, Index("campaign"))),
    ]


def _ceremony(document: Mapping[str, Any], acts: Sequence[Mapping[str, Any]], *, last: bool) -> Ceremony:
    return Ceremony(
        campaign=CampaignId(document["campaign"]),
        draw=DrawId(document["_id"]),
        number=document["number"],
        manifest_sha256=document["manifest_sha256"],
        opens=datetime.fromisoformat(document["opens"]),
        round_at=datetime.fromisoformat(document["round_at"]),
        witnesses=document["witnesses"],
        entered=tuple(
            Entered(act["by"], act["role"], datetime.fromisoformat(act["at"]))
            for act in acts
            if act["draw"] == document["_id"]
        ),
        last=last,
    )
