"""Messages about paper: a fax or a scanned letter on its way into the vault, and what became of it (R-B3, R-B5)."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from shared.contracts.base import Event, Moment
from shared.ids import CampaignIdField, KeyIdField, PaperIdField, ReceiptField, SerialField

PaperChannel = Literal["fax", "post"]

SEALED_PAPER_BYTES: Final = 8 * 1024 * 1024
"""Bytes of a sealed paper at most: encapsulated key, ciphertext and tag."""

SEALED_PAPER_TEXT: Final = -(-SEALED_PAPER_BYTES * 4 // 3)
"""Characters of the same as base64url."""


class PaperReceived(Event):
    """A sealed fax or scan has arrived; only the vault can see it. `serial` is the number stamped on the paper."""

    name: ClassVar[str] = "paper.received"
    campaign: CampaignIdField
    paper_id: PaperIdField
    receipt: ReceiptField
    channel: PaperChannel
    serial: SerialField
    key_id: KeyIdField
    sealed: Annotated[str, Field(max_length=SEALED_PAPER_TEXT)]
    received_at: Moment

    @model_validator(mode="after")
    def _letter_of_the_channel(self) -> Self:
        if self.receipt[0] != self.channel[0].upper():
            raise ValueError("the receipt is of another channel")
        return self


class PaperSettled(Event):
    """A handler has keyed a paper into applications, or put it aside with a reason: nothing waits for it any more."""

    name: ClassVar[str] = "paper.settled"
    campaign: CampaignIdField
    paper_id: PaperIdField
    state: Literal["keyed", "discarded"]
