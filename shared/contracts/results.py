"""Messages about outcomes and the notices that carry them."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.contracts.base import BATCH_LIMIT, Count, Event, ReasonCode, Value
from shared.ids import (
    ApplicationIdField,
    BatchIdField,
    CampaignIdField,
    ClassIdField,
    DrawIdField,
    NoticeIdField,
    ReceiptField,
    TokenField,
)

PRINT_BATCH_LIMIT = 200

PassCode = Annotated[str, Field(pattern=r"^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$")]
"""What a notice holds besides its passes: 80 bits, four groups of four, that only the applicant has been told."""

PassText = Annotated[str, Field(pattern=r"^KP1:[A-Z2-7]{160}$")]
"""A signed pass, as its QR code says it (`docs/protocols.md` §2)."""


class ClassPass(Value):
    """The pass of one class that was won."""

    class_id: ClassIdField
    code: PassText


class Outcome(Value):
    """Outcome of one class that one application asked for."""

    class_id: ClassIdField
    outcome: Literal["won", "waiting", "lost", "refused"]
    seats: Annotated[int, Field(ge=1, le=20)]
    position: Annotated[int, Field(ge=1)] | None = None
    reason: ReasonCode | None = None


class Result(Value):
    """All outcomes of one application: exactly one per class asked for.

    `pass_code` is set if the applicant holds a place or waits for one; `passes` has one for each class won.
    """

    application_id: ApplicationIdField
    receipt: ReceiptField
    token: TokenField
    pass_code: PassCode | None = None
    passes: tuple[ClassPass, ...] = ()
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1)]


class ResultsPublished(Event):
    name: ClassVar[str] = "results.published"
    campaign: CampaignIdField
    draw: DrawIdField
    part: Annotated[int, Field(ge=1)]
    parts: Annotated[int, Field(ge=1)]
    items: Annotated[tuple[Result, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class CardOrder(Value):
    """One postcard: text with `{{kuji:name}}` where the vault puts the name; no person. Each pass is printed as QR."""

    notice_id: NoticeIdField
    token: TokenField
    body: Annotated[str, Field(min_length=1, max_length=2000)]
    pass_code: PassCode | None = None
    passes: Annotated[tuple[ClassPass, ...], Field(max_length=20)] = ()


class PrintRequested(Event):
    name: ClassVar[str] = "print.requested"
    campaign: CampaignIdField
    batch_id: BatchIdField
    items: Annotated[tuple[CardOrder, ...], Field(min_length=1, max_length=PRINT_BATCH_LIMIT)]


class CardFailure(Value):
    notice_id: NoticeIdField
    reason: ReasonCode


class PrintCompleted(Event):
    """A batch is rendered; `pages` is twice the cards printed, printed and failed together are what was ordered."""

    name: ClassVar[str] = "print.completed"
    campaign: CampaignIdField
    batch_id: BatchIdField
    pages: Count
    printed: tuple[NoticeIdField, ...]
    failed: tuple[CardFailure, ...] = ()
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class MailBounced(Event):
    """A report came to the bounce address of a notice after its mail had been taken; status per RFC 3463.

    `verdict`: `bounced` for a final failure; `unclear` for mail that a person must look at. `token` is not set since
    the notice id alone names the notice.
    """

    name: ClassVar[str] = "mail.bounced"
    campaign: CampaignIdField
    notice_id: NoticeIdField
    token: TokenField | None = None
    verdict: Literal["bounced", "unclear"] = "bounced"
    status: Annotated[str, Field(pattern=r"^[245]\.\d{1,3}\.\d{1,3}$")]
