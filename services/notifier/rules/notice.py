"""Records of the notifier: the notice and the print batch, as values. Pure."""

from collections.abc import Mapping
from typing import Final, Literal, Self

from pydantic import Field

from services.notifier.rules.states import INITIAL, ContactChannel, NoticeState, PrintBatchState
from shared.contracts import Contact, NoticeParams
from shared.contracts.base import Moment, Value
from shared.ids import BatchIdField, CampaignIdField, NoticeId, NoticeIdField, TokenField

UNDECIDED: Final = "undecided"
"""Kind of a notice to an applicant whose application was left out of the draw because of an open doubt."""

Way = Literal["mail", "card"]
"""Way by which a notice goes at present. A mail that fails goes as a card from then on."""

FIRST_WAY: Mapping[ContactChannel, Way] = {"mail": "mail", "post": "card", "telephone": "card"}
"""Way of a new notice; no card of one to be telephoned is ever ordered, whose state says so."""


class Record(Value):
    """Stored value whose `id` is the `_id` of its document."""

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> Self:
        """Return the record. Raises ValidationError if the document has unknown or wrong members."""
        return cls.model_validate({"id" if name == "_id" else name: value for name, value in document.items()})

    def to_document(self) -> dict[str, object]:
        """Return the document; members that are None are left out."""
        values: dict[str, object] = self.model_dump(exclude_none=True)
        return {"_id": values.pop("id"), **values}


class Notice(Record):
    """Notice to one applicant of one kind and number. Times are the machine's (`wall_clock`)."""

    id: NoticeIdField
    campaign: CampaignIdField
    token: TokenField
    kind: str
    n: int
    """Number of the slip, version of the application, or number of the announcement. (token, kind, n) is unique."""
    params: NoticeParams = Field(default_factory=dict)
    bulk: bool = False
    """True for an announcement, whose mails have several recipients."""
    channel: Literal["mail", "post"]
    """Contact channel of the applicant. A mail that fails goes by post and keeps the channel `mail`; a notice that may
    be told by telephone only counts among those by post."""
    way: Way
    state: NoticeState
    created_at: Moment
    next_at: Moment
    """Earliest time of the next order; order of the notices in both queues."""
    mail_domain_class: str | None = None
    document: NoticeIdField
    """Id in the last mail order, and so in its bounce address: the notice's own, or one that recipients share."""
    attempts: int = 0
    """Orders of a mail so far; the vault accepts each number once."""
    deferrals: int = 0
    """Temporary refusals so far; each has a wait of its own."""
    mails: int = 0
    """Mails that the mail server took or may have taken."""
    alone: bool = False
    """True if a mail to several recipients was refused as a whole: from then on one recipient a mail."""
    asked_at: Moment | None = None
    """Time of the last order of a mail."""
    code: str | None = None
    """Last SMTP reply code, or the status of a delivery report (RFC 3463)."""
    bounced: bool = False
    sent_at: Moment | None = None
    card_attempts: int = 0
    print_batch: BatchIdField | None = None
    resolved_by: str | None = None
    """Handler who decided on the notice (`states.DECISIONS`)."""
    return_reason: str | None = None
    """Reason code of a card that came back; `post/endpoints.py` lists the codes."""
    returned_by: str | None = None
    returned_at: Moment | None = None


class Handling(Value):
    """Act of a handler on a batch, with the machine's time."""

    actor: str
    at: Moment


class Posting(Handling):
    """Delivery of a batch to a post office."""

    posted_on: str
    """Day, as ISO 8601."""
    office: str


class PrintBatch(Record):
    """Order of cards, and its way from the print room to the post office."""

    id: BatchIdField
    campaign: CampaignIdField
    notices: tuple[NoticeIdField, ...]
    state: PrintBatchState = PrintBatchState.REQUESTED
    pages: int | None = None
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
    notice_id: NoticeId,
    campaign: CampaignIdField,
    contact: Contact,
    kind: str,
    n: int,
    now: Moment,
    *,
    params: NoticeParams | None = None,
    bulk: bool = False,
) -> Notice:
    """Return a new notice in the first state of the applicant's contact channel.

    The contact `telephone` is that of the notice `undecided` only; whatever else there is to tell goes as a card.
    """
    channel: ContactChannel = "post" if contact.contact == "telephone" and kind != UNDECIDED else contact.contact
    return Notice(
        id=notice_id,
        campaign=campaign,
        token=contact.token,
        kind=kind,
        n=n,
        params=params or {},
        bulk=bulk,
        channel="mail" if contact.contact == "mail" else "post",
        way=FIRST_WAY[channel],
        mail_domain_class=contact.mail_domain_class,
        document=notice_id,
        state=INITIAL[channel],
        created_at=now,
        next_at=now,
    )
