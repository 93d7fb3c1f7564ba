"""A unit of work: the state a handler writes and the events it says, committed together or not at all."""

from datetime import UTC, datetime
from typing import Any

from shared.contracts.base import Event
from shared.ids import EventId, new_event_id
from shared.storage.collections import OUTBOX
from shared.storage.driver import Database, Session
from shared.storage.tombstones import Tombstones

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class UnitOfWork:
    """Argument of the work inside `Store.transact`. Pass `session=uow.session` to every call on `uow.db`.

    A database error inside a transaction has already ended it: let it rise, do not catch it and go on.
    """

    def __init__(self, db: Database, session: Session) -> None:
        self.db, self.session = db, session
        self.tombstones = Tombstones(db)
        self._lines: list[dict[str, Any]] = []

    async def emit(self, event: Event, event_id: EventId | None = None) -> None:
        """Publish `event` if, and only if, this transaction commits. A given id makes a repetition recognisable."""
        self._lines.append(
            {
                "event_id": event_id or new_event_id(),
                "campaign": event.erasable_campaign,
                "name": event.name,
                "body": event.to_json(),
                "at": datetime.now(UTC),
                "leased_until": _LONG_AGO,
            }
        )

    async def flush(self) -> bool:
        """Write the emitted events to the outbox in one call; return True if there were any. The store calls this.

        Events of an erased campaign are dropped and counted at its tombstone (docs/protocols.md §5).
        """
        lines = await self._without_erased(self._lines)
        if lines:
            await self.db[OUTBOX].insert_many(lines, ordered=True, session=self.session)
        return bool(lines)

    async def _without_erased(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        campaigns = {line["campaign"] for line in lines if line["campaign"] is not None}
        erased = await self.tombstones.erased_among(campaigns, self.session) if campaigns else frozenset[str]()
        if not erased:
            return lines
        await self.tombstones.count_dropped(
            [line["campaign"] for line in lines if line["campaign"] in erased], self.session
        )
        return [line for line in lines if line["campaign"] not in erased]
