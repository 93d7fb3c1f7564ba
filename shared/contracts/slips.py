"""Outcome slips of the lottery, and the messages that carry them to the notifier and name them to the vault."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from shared.codes import EntryIdField
from shared.contracts.base import BATCH_LIMIT, Event, Ordinal, ReasonCode, SparseValue, Value
from shared.ids import CampaignIdField, ClassIdField, DrawIdField, ReceiptField, TokenField
from shared.json_types import JsonObject

SLIP_CONTEXT: Final = "kuji/slip/2"
"""Context of the lottery's signature of a slip."""

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


class ClassPass(Value):
    """The pass of one class that was won."""

    class_id: ClassIdField
    code: PassText


class SlipOutcome(SparseValue):
    """Outcome of one class that one application asked for.

    `rank` of `of`: place in the drawn order among the applications that asked for this class.
    """

    class_id: ClassIdField
    outcome: Literal["won", "waiting", "offered", "lost", "refused", "gone"]
    seats: Annotated[int, Field(ge=1, le=20)]
    position: Ordinal | None = None
    answer_by: SignedMoment | None = None
    rank: Ordinal | None = None
    of: Ordinal | None = None
    reason: ReasonCode | None = None


FURTHER_ROUND: Final = "further-round"
"""Reason of a class that was won in a further round; `rank` and `of` are then of the round."""


class OutcomeSlip(SparseValue):
    """All outcomes of one application at one moment: one for each class asked for, signed by the lottery.

    `passes` has one for each class won or offered. `entry`: entry id by which the draw knows the application.
    """

    v: Literal[2] = 2
    campaign: CampaignIdField
    draw: DrawIdField
    n: NoticeNumber
    token: TokenField
    receipt: ReceiptField
    entry: EntryIdField
    issued_at: SignedMoment
    outcomes: Annotated[tuple[SlipOutcome, ...], Field(min_length=1, max_length=100)]
    passes: Annotated[tuple[ClassPass, ...], Field(max_length=20)] = ()
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
    part: Ordinal
    parts: Ordinal
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
    counts_erased_people: ClassVar[bool] = True
    campaign: CampaignIdField
    items: Annotated[tuple[IssuedSlip, ...], Field(min_length=1, max_length=BATCH_LIMIT)]
