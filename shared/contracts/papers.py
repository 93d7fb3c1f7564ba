"""Messages about paper: a fax or a scanned letter on its way into the vault, and what became of it (R-B3, R-B5)."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from shared.codes import ProofDigestField
from shared.contracts.base import Event, Moment, Value
from shared.ids import ApplicationIdField, CampaignIdField, KeyIdField, PaperIdField, ReceiptField, SerialField

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


class KeyedApplication(Value):
    """Application that the vault made of a paper, and SHA-256 of the applicant's proof for intake."""

    application_id: ApplicationIdField
    proof_sha256: ProofDigestField


class PaperSettled(Event):
    """The keying of a paper is settled: the vault made these applications of it, or the paper is put aside.

    The first application keeps the paper's receipt number.
    """

    name: ClassVar[str] = "paper.settled"
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 did not name the applications
    campaign: CampaignIdField
    paper_id: PaperIdField
    state: Literal["keyed", "discarded"]
    applications: Annotated[tuple[KeyedApplication, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _applications_of_a_keyed_paper(self) -> Self:
        if (self.state == "keyed") != bool(self.applications):
            raise ValueError("a keyed paper has applications, and a discarded one has none")
        return self


class AssignedReceipt(Value):
    """Receipt number that intake gave to an application of a paper."""

    application_id: ApplicationIdField
    receipt: ReceiptField


class ReceiptsAssigned(Event):
    """Intake's answer to a keyed paper: receipt numbers of its applications, in the same order."""

    name: ClassVar[str] = "receipts.assigned"
    campaign: CampaignIdField
    paper_id: PaperIdField
    items: Annotated[tuple[AssignedReceipt, ...], Field(min_length=1, max_length=20)]
