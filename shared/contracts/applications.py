"""Messages about single applications, from arrival to the vault's verdict."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from shared.contracts.base import BATCH_LIMIT, Channel, Event, Moment, ReasonCode, Value
from shared.ids import (
    ApplicationIdField,
    CampaignIdField,
    ClassIdField,
    KeyIdField,
    ReceiptField,
    TokenField,
)

Revision = Annotated[int, Field(ge=1)]
"""Verdicts on one application are counted; the higher one holds, in whatever order they arrive."""


class SealingKeyPublished(Event):
    """The signed key document of `docs/protocols.md` §1, for intake to hand out as it is."""

    name: ClassVar[str] = "sealing-key.published"
    campaign: CampaignIdField
    key_id: KeyIdField
    document: dict[str, Any]


class ApplicationReceived(Event):
    """Sealed bytes have arrived; only the vault can say what they are."""

    name: ClassVar[str] = "application.received"
    campaign: CampaignIdField
    application_id: ApplicationIdField
    receipt: ReceiptField
    channel: Channel
    key_id: KeyIdField
    sealed: Annotated[str, Field(max_length=90_000)]
    received_at: Moment


class Decision(Value):
    """Verdict that the applicant reads at the status address: codes only, never a class (ADR 0008)."""

    application_id: ApplicationIdField
    status: Literal["accepted", "held", "rejected"]
    reasons: tuple[ReasonCode, ...] = ()
    revision: Revision


class ApplicationsDecided(Event):
    name: ClassVar[str] = "application.decided"
    campaign: CampaignIdField
    items: Annotated[tuple[Decision, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class Choice(Value):
    """A class asked for, and the places it takes (a pair takes two)."""

    class_id: ClassIdField
    seats: Annotated[int, Field(ge=1, le=20)]


class Refusal(Value):
    """A class asked for that the rules do not allow this person."""

    class_id: ClassIdField
    reason: ReasonCode


class AcceptedApplication(Value):
    """An entry for the draw: choices in order of preference, no person."""

    application_id: ApplicationIdField
    receipt: ReceiptField
    token: TokenField
    channel: Channel
    choices: Annotated[tuple[Choice, ...], Field(min_length=1)]
    refused: tuple[Refusal, ...] = ()
    revision: Revision


class ApplicationsAccepted(Event):
    name: ClassVar[str] = "application.accepted"
    campaign: CampaignIdField
    items: Annotated[tuple[AcceptedApplication, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class RejectedApplication(Value):
    """Not in the draw. `receipt` and `token`, if the person is known: a correction after the draw needs them."""

    application_id: ApplicationIdField
    receipt: ReceiptField | None = None
    token: TokenField | None = None
    channel: Channel
    reasons: Annotated[tuple[ReasonCode, ...], Field(min_length=1)]
    revision: Revision


class ApplicationsRejected(Event):
    name: ClassVar[str] = "application.rejected"
    campaign: CampaignIdField
    items: Annotated[tuple[RejectedApplication, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class HeldApplication(Value):
    """Waits for a person at the desk; the draw waits with it. `receipt` and `token` as in `RejectedApplication`."""

    application_id: ApplicationIdField
    receipt: ReceiptField | None = None
    token: TokenField | None = None
    channel: Channel
    revision: Revision


class ApplicationsHeld(Event):
    name: ClassVar[str] = "application.held"
    campaign: CampaignIdField
    items: Annotated[tuple[HeldApplication, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class Contact(Value):
    """Contact channel of an applicant, without the person: mail or post, and the mail domain's class for pacing.

    `complete`: the application's own content is in order, whether or not the same person may have applied before; it
    is acknowledged. `rejected`: it is not in the draw. `version`: of the application's content. The highest
    `revision` holds.
    """

    receipt: ReceiptField
    token: TokenField
    contact: Literal["mail", "post"]
    mail_domain_class: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")] | None = None
    status: Literal["complete", "rejected"]
    version: Annotated[int, Field(ge=1)] = 1
    revision: Revision


class ContactsRegistered(Event):
    name: ClassVar[str] = "contact.registered"
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 named application ids and reasons
    campaign: CampaignIdField
    items: Annotated[tuple[Contact, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class ReceiptsClosed(Event):
    """The roll of every application that was given a receipt, so that the draw can prove none went missing."""

    name: ClassVar[str] = "receipts.closed"
    campaign: CampaignIdField
    part: Annotated[int, Field(ge=1)]
    parts: Annotated[int, Field(ge=1)]
    total: Annotated[int, Field(ge=0)]
    application_ids: Annotated[tuple[ApplicationIdField, ...], Field(max_length=1000)]
