"""Messages of the close-out: each service sets its tombstone, erases, measures and answers (R-C11, R-C12)."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from shared.contracts.base import Count, Event, Moment, Value
from shared.ids import CampaignIdField

ErasureId = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Verdict = Literal["PASS", "FAIL", "UNKNOWN", "PENDING"]
ErasurePhase = Literal["erased", "measured"]
"""`erased`: the tombstone is set and the stores are emptied. `measured`: the stores were counted again, at the end."""


PARKED, DELIVERIES, QUEUES = "parked", "deliveries", "queues"
PERSON_ERASURES: Final = "person_erasures"
OWN_STORES: Final = ("inbox", "outbox", PERSON_ERASURES, PARKED, DELIVERIES, QUEUES)
"""Stores that every service has, whatever its task is: idempotency records, outgoing events, names of people whose
erasure was not at its end, and the broker's part."""

RATE_LIMITS: Final = "rate limits"
"""Attempts counted in memory by hashed address or by number, in services that limit attempts."""


class ErasureRequested(Event):
    """The vault asks each service for one phase; `measured` only after the delay queues ran empty."""

    name: ClassVar[str] = "erasure.requested"
    is_about_erasure: ClassVar[bool] = True
    campaign: CampaignIdField
    erasure_id: ErasureId
    phase: ErasurePhase = "erased"


class StoreErasure(Value):
    """Counts of one store of one service, before and after the erasure.

    `before`, `after` and `residue` are None where they were not measured; such a store is UNKNOWN, never PASS.
    """

    store: Annotated[str, Field(pattern=r"^[a-z][a-z0-9 ._-]{0,63}$")]
    before: Count | None
    after: Count | None
    residue: Count | None
    result: Verdict
    note: Annotated[str, Field(max_length=200)] = ""


class ErasureCompleted(Event):
    """A service's answer for one phase: a document that the service signs with its own key (docs/protocols.md §5).

    `tombstone`: when the service set its tombstone, on its machine's clock. `dropped`: events of the campaign that it
    dropped since. The signature covers the canonical JSON of all members but `signature`.
    """

    name: ClassVar[str] = "erasure.completed"
    is_about_erasure: ClassVar[bool] = True
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 had neither phase nor signature
    campaign: CampaignIdField
    erasure_id: ErasureId
    service: Literal["intake", "lottery", "notifier"]
    phase: ErasurePhase
    tombstone: Moment
    dropped: Count
    stores: Annotated[tuple[StoreErasure, ...], Field(min_length=1)]
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{86}$")]
