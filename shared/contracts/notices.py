"""Messages between lottery, notifier and vault about notices: slips, notice documents, answers, counts.

The notifier decides when and by which channel an applicant is told; the vault writes the text from released templates,
the slip and its register, and sends or prints it (R-B8, ADR 28).
"""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.contracts.base import BATCH_LIMIT, Count, Event, Moment, ReasonCode, SparseValue, Value
from shared.ids import BatchIdField, CampaignIdField, ClassIdField, DrawIdField, NoticeIdField, ReceiptField, TokenField
from shared.json_types import JsonObject

SLIP_CONTEXT: Final = "kuji/slip/2"
"""Context of the lottery's signature of a slip."""

NOTICE_BATCH_LIMIT: Final = 100
"""Notice documents that one message holds at most; a print batch too."""

RECIPIENT_LIMIT: Final = 50
"""Recipients of one announcement by mail at most: one SMTP transaction (R-S4)."""

PassCode = Annotated[str, Field(pattern=r"^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$")]
"""What a notice holds besides its passes: 80 bits, four groups of four, that only the applicant has been told."""

PassText = Annotated[str, Field(pattern=r"^KP1:[A-Z2-7]{160}$")]
"""A signed pass, as its QR code says it (`docs/protocols.md` §2)."""

NoticeNumber = Annotated[int, Field(ge=1, le=10**12)]
"""`n`. Of a slip: number of the draw × 1,000,000 + number of the change of places after it, so that it only rises.

Of a kind from the register: version of the application. Of an announcement: its number.
"""

SignedMoment = Annotated[
    str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)$")
]
"""Time with offset (RFC 3339) as text, so that a signed document is written again byte for byte."""

EntryText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""Entry id of the draw, 16 bytes in hex."""

KindField = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,40}$")]
"""Kind of a notice. `shared/notices/kinds.json` lists the kinds; the vault answers `invalid` for another one."""

NoticeChannel = Literal["mail", "card"]

_ParamName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,31}$")]
_ParamText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:+.-]{0,63}$")]
NoticeParams = dict[_ParamName, _ParamText | Annotated[int, Field(ge=0, le=10**7, strict=True)]]
"""Enumerations, times and counts; `kinds.json` names those of each kind. No text of a person, no address."""


class ClassPass(Value):
    """The pass of one class that was won."""

    class_id: ClassIdField
    code: PassText


class SlipOutcome(SparseValue):
    """Outcome of one class that one application asked for. `rank` of `of`: place in the order of the draw."""

    class_id: ClassIdField
    outcome: Literal["won", "waiting", "offered", "lost", "refused", "gone"]
    seats: Annotated[int, Field(ge=1, le=20)]
    position: Annotated[int, Field(ge=1)] | None = None
    answer_by: SignedMoment | None = None
    rank: Annotated[int, Field(ge=1)] | None = None
    of: Annotated[int, Field(ge=1)] | None = None
    reason: ReasonCode | None = None


class OutcomeSlip(SparseValue):
    """All outcomes of one application at one moment: one for each class asked for, signed by the lottery.

    `pass_code` is set if the applicant holds a place, is offered one or waits for one; `passes` has one for each class
    won or offered. `entry` holds the 16 bytes by which the draw knows the application.
    """

    v: Literal[2] = 2
    campaign: CampaignIdField
    draw: DrawIdField
    n: NoticeNumber
    token: TokenField
    receipt: ReceiptField
    entry: EntryText
    issued_at: SignedMoment
    outcomes: Annotated[tuple[SlipOutcome, ...], Field(min_length=1, max_length=100)]
    passes: Annotated[tuple[ClassPass, ...], Field(max_length=20)] = ()
    pass_code: PassCode | None = None
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{86}$")]

    def to_document(self) -> JsonObject:
        """Return the signed document: members that are None are left out."""
        document: JsonObject = self.model_dump(mode="json")
        return document


class ResultsPublished(Event):
    """Slips of all applications of a draw, in parts; kind `result`."""

    name: ClassVar[str] = "results.published"
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 had results without a signature
    campaign: CampaignIdField
    draw: DrawIdField
    part: Annotated[int, Field(ge=1)]
    parts: Annotated[int, Field(ge=1)]
    items: Annotated[tuple[OutcomeSlip, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


PlaceNoticeKind = Literal["offer", "place-won", "correction", "offer-expired", "place-withdrawn"]
"""`offer`: a place until `answer_by`; `place-won`: moved up from the waiting list, or accepted; `correction`: wrongly
kept out of the draw; `offer-expired`: not answered in time; `place-withdrawn`: given up by the applicant."""


class PlaceNotice(Value):
    """Slip of one application after its places changed. `class_id`: class that the change is about."""

    kind: PlaceNoticeKind
    class_id: ClassIdField
    slip: OutcomeSlip


class PlacesOffered(Event):
    """Slips of applications whose places changed after the draw."""

    name: ClassVar[str] = "places.offered"
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 had offers without a slip
    campaign: CampaignIdField
    draw: DrawIdField
    items: Annotated[tuple[PlaceNotice, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class IssuedSlip(Value):
    """Number of a slip that the lottery issued, for the vault's own count."""

    token: TokenField
    n: NoticeNumber


class SlipsIssued(Event):
    """The lottery tells the vault which slips must reach their applicants, without going through the notifier."""

    name: ClassVar[str] = "slips.issued"
    campaign: CampaignIdField
    items: Annotated[tuple[IssuedSlip, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class NoticeDocument(SparseValue):
    """Order of one notice (`docs/protocols.md` §3). `slip` is checked by the vault, which answers `invalid`.

    `tokens` instead of `token`: recipients of an announcement by mail.
    """

    v: Literal[2] = 2
    notice: NoticeIdField
    campaign: CampaignIdField
    kind: KindField
    channel: NoticeChannel
    attempt: Annotated[int, Field(ge=1, le=1000)]
    n: NoticeNumber
    token: TokenField | None = None
    tokens: Annotated[tuple[TokenField, ...], Field(min_length=1, max_length=RECIPIENT_LIMIT)] | None = None
    slip: JsonObject | None = None
    params: NoticeParams = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_form_of_recipient(self) -> Self:
        if (self.token is None) == (self.tokens is None):
            raise ValueError("a notice document has either `token` or `tokens`")
        return self

    @property
    def recipients(self) -> tuple[str, ...]:
        """Tokens of all recipients."""
        return self.tokens or ((self.token,) if self.token else ())


class MailRequested(Event):
    """Orders of mails."""

    name: ClassVar[str] = "mail.requested"
    campaign: CampaignIdField
    items: Annotated[tuple[NoticeDocument, ...], Field(min_length=1, max_length=NOTICE_BATCH_LIMIT)]


ReplyCode = Annotated[int, Field(ge=200, le=599)]
"""Reply code of SMTP (RFC 5321)."""

NoticeAnswer = Literal["sent", "refused", "later", "unknown", "not-released", "superseded", "invalid"]
"""`sent`: the mail server took the mail. `refused`, `later`: 5xx and 4xx. `unknown`: its answer was lost.

`not-released`: the template is not released. `superseded`: a newer slip exists. `invalid`: a foreign or bad slip, or
an unknown form.
"""


class RecipientRefusal(Value):
    """Recipient of an announcement whom the mail server refused, with its reply code."""

    token: TokenField
    code: ReplyCode


class MailAnswer(SparseValue):
    """Answer to one notice document. Nothing in it depends on a name or an address but the mail server's code."""

    notice: NoticeIdField
    attempt: Annotated[int, Field(ge=1)]
    answer: NoticeAnswer
    code: ReplyCode | None = None
    refused: Annotated[tuple[RecipientRefusal, ...], Field(max_length=RECIPIENT_LIMIT)] = ()


class MailCompleted(Event):
    """Answers of the vault's mail room."""

    name: ClassVar[str] = "mail.completed"
    campaign: CampaignIdField
    items: Annotated[tuple[MailAnswer, ...], Field(min_length=1, max_length=NOTICE_BATCH_LIMIT)]


class MailBounced(Event):
    """A report came to the bounce address of a notice after its mail had been taken; status per RFC 3463.

    `verdict`: `bounced` for a final failure; `unclear` for mail that a person must look at. `token` is set where the
    report is about one recipient of an announcement.
    """

    name: ClassVar[str] = "mail.bounced"
    campaign: CampaignIdField
    notice_id: NoticeIdField
    token: TokenField | None = None
    verdict: Literal["bounced", "unclear"] = "bounced"
    status: Annotated[str, Field(pattern=r"^[245]\.\d{1,3}\.\d{1,3}$")]


class PrintRequested(Event):
    """Order of a print batch; one card is allowed."""

    name: ClassVar[str] = "print.requested"
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 had texts instead of notice documents
    campaign: CampaignIdField
    batch_id: BatchIdField
    items: Annotated[tuple[NoticeDocument, ...], Field(min_length=1, max_length=NOTICE_BATCH_LIMIT)]


class CardFailure(Value):
    """Card that is not in the PDF. `not-printable` is all that the answer says about a card's content."""

    notice_id: NoticeIdField
    reason: Literal["not-printable", "not-released", "superseded", "invalid"]


class PrintCompleted(Event):
    """A batch is rendered; `pages` is twice the cards printed, printed and failed together are what was ordered."""

    name: ClassVar[str] = "print.completed"
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 had a hash of the content
    campaign: CampaignIdField
    batch_id: BatchIdField
    pages: Count
    printed: tuple[NoticeIdField, ...]
    failed: tuple[CardFailure, ...] = ()


class NoticeCount(Value):
    """Number of the notices of one kind and channel in one state."""

    kind: KindField
    channel: NoticeChannel
    state: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}$")]
    count: Count


class NoticesCounted(Event):
    """Counts of the notifier, published when they change: `/draws` and `/notices` show them."""

    name: ClassVar[str] = "notices.counted"
    campaign: CampaignIdField
    counted_at: Moment
    told: Count
    to_tell: Count
    to_telephone: Count
    counts: Annotated[tuple[NoticeCount, ...], Field(max_length=1000)] = ()
