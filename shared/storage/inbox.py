"""The inbox: which events a consumer has handled, so that one delivered twice is handled once (ADR 0004)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from shared.ids import EventId
from shared.storage.collections import INBOX
from shared.storage.driver import Database, Session


class Inbox:
    """One line per event and consumer; a second line for the same pair cannot be written.

    Lines live until their campaign is erased: a signed event that somebody publishes again later is still recognised.
    """

    def __init__(self, db: Database) -> None:
        self._lines = db[INBOX]

    async def unseen(self, consumer: str, events: Sequence[EventId], session: Session) -> set[EventId]:
        """Return those of `events` that `consumer` has not handled."""
        wanted = {_line_id(event, consumer): event for event in events}
        cursor = self._lines.find({"_id": {"$in": list(wanted)}}, {"_id": 1}, session=session)
        return set(events) - {wanted[line["_id"]] async for line in cursor}

    async def record(self, consumer: str, events: Mapping[EventId, str | None], session: Session) -> None:
        """Write one line for each handled event, with the campaign whose erasure deletes the line.

        If another process handled one of them meanwhile, the transaction fails and is run again.
        """
        at = datetime.now(UTC)
        lines = [
            {"_id": _line_id(event, consumer), "at": at, "campaign": campaign} for event, campaign in events.items()
        ]
        await self._lines.insert_many(lines, ordered=True, session=session)


def _line_id(event: EventId, consumer: str) -> str:
    return f"{event}/{consumer}"
