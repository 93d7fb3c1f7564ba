"""Leases: one of many instances looks after something for a while; when it dies, another takes over.

Counted by the database's clock, so instances need not agree on the time. A lease spares work; what must happen once is
guarded by states and unique indexes as well.
"""

from typing import Final

from shared.storage.driver import Database, DuplicateKeyError, ReturnDocument, translate_errors

LEASES: Final = "leases"


class Leases:
    def __init__(self, db: Database) -> None:
        self._lines = db[LEASES]

    async def hold(self, what: str, holder: str, for_s: float) -> bool:
        """Take or prolong; whether it is `holder`'s now."""
        mine = {
            "$or": [{"$not": ["$holder"]}, {"$eq": ["$holder", {"$literal": holder}]}, {"$lt": ["$until", "$$NOW"]}]
        }
        end = {"$add": ["$$NOW", int(for_s * 1000)]}
        change = [{"$set": {
            "holder": {"$cond": [mine, {"$literal": holder}, "$holder"]},
            "until": {"$cond": [mine, end, "$until"]},
        }}]  # fmt: skip
        try:
            with translate_errors():
                line = await self._lines.find_one_and_update(
                    {"_id": what}, change, upsert=True, return_document=ReturnDocument.AFTER
                )
        except DuplicateKeyError:
            return False  # another made the line at the same moment
        return bool(line["holder"] == holder)

    async def prolong(self, what: str, holder: str, for_s: float) -> bool:
        """Prolong the lease if `holder` was the last to take it; return False if another one was there meanwhile."""
        with translate_errors():
            done = await self._lines.update_one(
                {"_id": what, "holder": holder}, [{"$set": {"until": {"$add": ["$$NOW", int(for_s * 1000)]}}}]
            )
        return bool(done.matched_count)

    async def give_up(self, what: str, holder: str) -> None:
        """End one's own lease, so that another need not wait for its end."""
        with translate_errors():
            await self._lines.delete_one({"_id": what, "holder": holder})
