"""Records of the notifier: the notice and the print batch, as values. Pure."""

from collections.abc import Mapping
from typing import Literal, Self

from services.notifier.rules.states import INITIAL, NoticeChannel, NoticeState, PrintBatchState
from shared.contracts import Contact
from shared.contracts.base import Moment, Value
from shared.ids import ApplicationIdField, BatchIdField, CampaignIdField, DrawId, NoticeIdField, TokenField

NoticeKind = Literal["rejected", "result", "offer"]
"""Kind of text. Every text is about one application and names its receipt number (ADR 0026)."""

REJECTED_OCCASION = "rejected"
"""Occasion of a rejection. The other occasions are the id of a draw, or that id and the number of a later change."""


class _Record(Value):
    """Stored value whose `id` is the `_id` of its document."""

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> Self:
        """Return the record. Raises ValidationError if the document has unknown or wrong members."""
        return cls.model_validate({"id" if name == "_id" else name: value for name, value in document.items()})

    def to_document(self) -> dict[str, object]:
        """Return the document; members that are None are left out."""
        values: dict[str, object] = self.model_dump(exclude_none=True)
        return {"_id": values.pop("id"), **values}


class Notice(_Record):
    """Text to one applicant on one occasion. Times are the machine's (`wall_clock`)."""

    id: NoticeIdField
    campaign: CampaignIdField
    application_id: ApplicationIdField
    token: TokenField
    occasion: str
    """What the notice is about; each application gets one notice per occasion."""
    kind: NoticeKind
    channel: NoticeChannel
    """Contact channel of the applicant. A mail that fails goes by post and keeps the channel `mail`."""
    state: NoticeState
    created_at: Moment
    next_at: Moment
    """Earliest time of the next attempt by mail; order of the notices in the print queue."""
    attempts: int = 0
    mail_domain_class: str | None = None
    claim: str | None = None
    """Mark of the last claim (`mail/claims.py`)."""
    lease_until: Moment | None = None
    code: str | None = None
    """Last SMTP reply code, or the status of a delivery report (RFC 3463)."""
    bounced: bool = False
    sent_at: Moment | None = None
    print_batch: BatchIdField | None = None
    resolved_by: str | None = None
    """Handler who decided on the notice (`states.DECISIONS`)."""
    return_reason: str | None = None
    """Reason code of a card that came back; `post/schemas.py` lists the codes."""
    returned_by: str | None = None
    returned_at: Moment | None = None

    @property
    def is_redraw(self) -> bool:
        """True if the result is of a draw that corrects an earlier draw."""
        return self.kind == "result" and draw_number(DrawId(self.occasion)) > 1


class Handling(Value):
    """Act of a handler on a batch, with the machine's time."""

    actor: str
    at: Moment


class Posting(Handling):
    """Delivery of a batch to a post office."""

    posted_on: str
    """Day, as ISO 8601."""
    office: str


class PrintBatch(_Record):
    """Order of cards, and its way from the print room to the post office."""

    id: BatchIdField
    campaign: CampaignIdField
    notices: tuple[NoticeIdField, ...]
    state: PrintBatchState = PrintBatchState.REQUESTED
    pages: int | None = None
    sha256: str | None = None
    fetches: tuple[Handling, ...] = ()
    """Every fetch of the PDF, by `./kuji prints fetch`."""
    counts: tuple[Handling, ...] = ()
    """Handlers who counted as many cards as were made; two are needed."""
    posting: Posting | None = None

    @property
    def cards(self) -> int:
        """Number of cards made: each has two pages."""
        return (self.pages or 0) // 2


def build_notice(
    notice_id: NoticeIdField, campaign: CampaignIdField, contact: Contact, kind: NoticeKind, occasion: str, now: Moment
) -> Notice:
    """Return a new notice in the first state of the applicant's contact channel."""
    return Notice(
        id=notice_id,
        campaign=campaign,
        application_id=contact.application_id,
        token=contact.token,
        occasion=occasion,
        kind=kind,
        channel=contact.contact,
        mail_domain_class=contact.mail_domain_class,
        state=INITIAL[contact.contact],
        created_at=now,
        next_at=now,
    )


def draw_number(draw: DrawId | None) -> int:
    """Return the number at the end of a draw's id, which counts the draws of a campaign; 0 for None."""
    return 0 if draw is None else int(draw.rpartition("-")[2])
