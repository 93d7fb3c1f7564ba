"""Messages of the close-out: every service erases and says what it counted (R-C11, R-C12)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.contracts.base import Count, Event, Value
from shared.ids import CampaignIdField

ErasureId = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Verdict = Literal["PASS", "FAIL", "UNKNOWN"]


class ErasureRequested(Event):
    name: ClassVar[str] = "erasure.requested"
    campaign: CampaignIdField
    erasure_id: ErasureId


class StoreErasure(Value):
    """One store of one service: what was there, what is there now, and how that was looked at.

    `before`, `after` and `residue` are None where they were not measured; such a store is UNKNOWN, never PASS.
    """

    store: Annotated[str, Field(pattern=r"^[a-z][a-z0-9 ._-]{0,63}$")]
    before: Count | None
    after: Count | None
    residue: Count | None
    result: Verdict
    note: Annotated[str, Field(max_length=200)] = ""


class ErasureCompleted(Event):
    name: ClassVar[str] = "erasure.completed"
    campaign: CampaignIdField
    erasure_id: ErasureId
    service: Literal["intake", "lottery", "notifier"]
    stores: Annotated[tuple[StoreErasure, ...], Field(min_length=1)]
