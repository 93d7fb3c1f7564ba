"""Messages between lottery, notifier and vault about notices: slips, notice documents, answers, counts.

The notifier decides when and by which channel an applicant is told; the vault writes the text from released templates,
the slip and its register, and sends or prints it (R-B8, ADR 31).
"""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.contracts.base import Count, Event, Moment, Ordinal, SparseValue, Value
from shared.contracts.people import StaffIdField
from shared.contracts.slips import NoticeNumber
from shared.ids import BatchIdField, CampaignIdField, NoticeIdField, TokenField
from shared.json_types import JsonObject

NOTICE_BATCH_LIMIT: Final = 100
"""Notice documents that one message holds at most; a print batch too."""

RECIPIENT_LIMIT: Final = 50
"""Recipients of one announcement by mail at most: one SMTP transaction (R-S4)."""

KindField = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,40}$")]
"""Kind of a notice. `shared/notices/kinds.json` lists the kinds; the vault answers `invalid` for another one."""

NoticeChannel = Literal["mail", "card"]

_ParamName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,31}$")]
_ParamText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:+.-]{0,63}$")]
NoticeParams = dict[_ParamName, _ParamText | Annotated[int, Field(ge=0, le=10**7, strict=True)]]
"""Enumerations, times and counts; `kinds.json` names those of each kind. No text of a person, no address."""


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
    attempt: Ordinal
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


class AskedNotice(Value):
    """Notice that an applicant asked for again by telephone; `sub` is the handler. The notifier decides when it goes.

    `way`: `mail` sends it by mail once more, `card` makes a card of it, also of a mail.
    """

    token: TokenField
    kind: KindField
    n: NoticeNumber
    way: NoticeChannel
    sub: StaffIdField


class NoticesAsked(Event):
    """Notices that the vault's telephone desk asks the notifier to send once more."""

    name: ClassVar[str] = "notices.asked"
    campaign: CampaignIdField
    items: Annotated[tuple[AskedNotice, ...], Field(min_length=1, max_length=NOTICE_BATCH_LIMIT)]


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
