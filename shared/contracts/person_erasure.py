"""Messages of the erasure of one person who demanded it (消去): asked by the vault, answered by each service."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.contracts.base import Channel, Event, Moment, Version
from shared.contracts.closing import ErasureId, StoreErasure
from shared.ids import CampaignIdField, ReceiptField


class PersonErasureRequested(Event):
    """The vault asks each service to erase one applicant, named by the receipt number that all of them know.

    `version` and `channel`: of the application, for the roll of receipts, which keeps its line.
    """

    name: ClassVar[str] = "person.erasure.requested"
    names_erased_people: ClassVar[bool] = True
    campaign: CampaignIdField
    erasure_id: ErasureId
    receipt: ReceiptField
    version: Version
    channel: Channel


class PersonErased(Event):
    """A service's answer: a document that the service signs with its own key, after it counted what is left.

    It does not name the person: `erasure_id` does, at the vault alone. `tombstone`: when the service set the person's
    tombstone, on its machine's clock. The signature covers the canonical JSON of all members but `signature`.
    """

    name: ClassVar[str] = "person.erased"
    names_erased_people: ClassVar[bool] = True
    v: Literal[2] = 2  # type: ignore[assignment]  # like the answers to the erasure of a campaign
    campaign: CampaignIdField
    erasure_id: ErasureId
    service: Literal["intake", "lottery", "notifier"]
    tombstone: Moment
    stores: Annotated[tuple[StoreErasure, ...], Field(min_length=1)]
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{86}$")]
