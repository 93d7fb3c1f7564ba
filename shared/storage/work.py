"""A unit of work: the state that a handler writes and the events that it emits, committed together or not at all."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from shared.contracts.base import Event
from shared.contracts.named_people import without_people
from shared.ids import CampaignId, EventId, new_event_id
from shared.service_keys import EventSignature
from shared.storage.collections import OUTBOX
from shared.storage.driver import Database, Session
from shared.storage.erased_people import ErasedPeople, hash_name
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
        self.erased_people = ErasedPeople(db, within_transaction=True)
        self._lines: list[tuple[dict[str, Any], Event | None]] = []

    async def emit(self, event: Event, event_id: EventId | None = None) -> None:
        """Publish `event` if, and only if, this transaction commits. A given id makes a repetition recognisable.

        The row is signed here, so that it proves later what this service published.
        What it says about an erased person is left out, when the transaction ends: see `flush`.
        """
        self._add_line(event.name, event.erasable_campaign, event.to_json(), event_id or new_event_id(), event)

    async def emit_written(self, event: type[Event], campaign: CampaignId, body: bytes, event_id: EventId) -> None:
        """Publish an event of a campaign whose JSON the caller wrote, where building it as an object costs too much."""
        self._add_line(event.name, campaign, body, event_id)

    def _add_line(
        self, name: str, campaign: str | None, body: bytes, event_id: EventId, event: Event | None = None
    ) -> None:
        signature = {} if self._signer is None else vars(self._signer.sign_event(name, event_id, body))
        line = {
            "event_id": event_id,
            "campaign": campaign,
            "name": name,
            "body": body,
            "at": datetime.now(UTC),
            "leased_until": _LONG_AGO,
            **signature,
        }
        self._lines.append((line, event))

    async def flush(self) -> bool:
        """Write the emitted events to the outbox in one call; return True if there were any. The store calls this.

        Events of an erased campaign are dropped and counted at its tombstone (docs/protocols.md §5).
        """
        await self._leave_out_people()
        lines = await self._without_erased([line for line, _ in self._lines])
        if lines:
            await self.db[OUTBOX].insert_many(lines, ordered=True, session=self.session)
        return bool(lines)

    async def _leave_out_people(self) -> None:
        """Write events again without people who have a tombstone; drop those about nobody else."""
        campaigns = {line["campaign"] for line, event in self._lines if event is not None and line["campaign"]}
        erased = await self.erased_people.of_campaigns(campaigns, self.session) if campaigns else {}
        if not erased:
            return
        lines, self._lines, dropped = self._lines, [], list[str]()
        for line, event in lines:
            of_campaign = erased.get(line["campaign"] or "", {})
            if event is None or not of_campaign:
                self._lines.append((line, event))
                continue
            kept = without_people(event, people_filter(line["campaign"], of_campaign, dropped))
            if kept is event:
                self._lines.append((line, event))
            elif kept is not None:
                self._add_line(event.name, line["campaign"], kept.to_json(), line["event_id"], kept)
        await self.erased_people.count_dropped(dropped, self.session)

    async def _without_erased(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        campaigns = {line["campaign"] for line in lines if line["campaign"] is not None}
        erased = await self.tombstones.erased_among(campaigns, self.session) if campaigns else frozenset[str]()
        if not erased:
            return lines
        await self.tombstones.count_dropped(
            [line["campaign"] for line in lines if line["campaign"] in erased], self.session
        )
        return [line for line in lines if line["campaign"] not in erased]


def people_filter(campaign: str, erased: Mapping[str, str], dropped: list[str]) -> Callable[[frozenset[str]], bool]:
    """Return a test of names against erased people; it adds the erasure ids that it met to `dropped`."""

    def is_erased(names: frozenset[str]) -> bool:
        found = next((erased[key] for key in (hash_name(campaign, name) for name in names) if key in erased), None)
        if found is not None:
            dropped.append(found)
        return found is not None

    return is_erased
