"""A unit of work: the state that a handler writes and the events that it emits, committed together or not at all."""

from datetime import UTC, datetime
from typing import Any, Protocol

from shared.contracts.base import Event
from shared.ids import CampaignId, EventId, new_event_id
from shared.service_keys import EventSignature
from shared.storage.collections import OUTBOX
from shared.storage.driver import Database, Session
from shared.storage.tombstones import Tombstones

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class EventSigner(Protocol):
    """The key of the service to which the database belongs."""

    def sign_event(self, name: str, event_id: EventId, body: bytes) -> EventSignature:
        """Sign an event of this service."""


class UnitOfWork:
    """Argument of the work inside `Store.transact`. Pass `session=uow.session` to every call on `uow.db`.

    A database error inside a transaction has already ended it: let it rise, do not catch it and go on.
    """

    def __init__(self, db: Database, session: Session, signer: EventSigner | None = None) -> None:
        self.db, self.session, self._signer = db, session, signer
        self.tombstones = Tombstones(db, within_transaction=True)
        self._lines: list[dict[str, Any]] = []

    async def emit(self, event: Event, event_id: EventId | None = None) -> None:
        """Publish `event` if, and only if, this transaction commits. A given id makes a repetition recognisable.

        The row is signed here, so that it proves later what this service published.
        """
        self._add_line(event.name, event.erasable_campaign, event.to_json(), event_id or new_event_id())

    async def emit_written(self, event: type[Event], campaign: CampaignId, body: bytes, event_id: EventId) -> None:
        """Publish an event of a campaign whose JSON the caller wrote, where building it as an object costs too much."""
        self._add_line(event.name, campaign, body, event_id)

    def _add_line(self, name: str, campaign: str | None, body: bytes, event_id: EventId) -> None:
        signature = {} if self._signer is None else vars(self._signer.sign_event(name, event_id, body))
        self._lines.append(
            {
                "event_id": event_id,
                "campaign": campaign,
                "name": name,
                "body": body,
                "at": datetime.now(UTC),
                "leased_until": _LONG_AGO,
                **signature,
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
