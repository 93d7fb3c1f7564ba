"""Messages about single applications, from arrival to the vault's verdict."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.codes import EntryIdField, ProofDigestField
from shared.contracts.base import BATCH_LIMIT, Channel, Count, Event, Moment, Ordinal, ReasonCode, Value, Version
from shared.ids import (
    ApplicationIdField,
    CampaignIdField,
    ClassIdField,
    DrawIdField,
    KeyIdField,
    ReceiptField,
    TokenField,
)

RollLine = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""Line of the roll of receipts, without its line feed."""

Revision = Ordinal
"""Verdicts on one application are counted; the higher one holds, in whatever order they arrive."""


class SealingKeyPublished(Event):
    """The signed key document of `docs/protocols.md` §1, for intake to hand out as it is."""

    name: ClassVar[str] = "sealing-key.published"
    campaign: CampaignIdField
    key_id: KeyIdField
    document: dict[str, Any]


class ApplicationReceived(Event):
    """Sealed bytes of one version of an application arrived; only the vault can open them.

    `version`: 1 for the first, then rising with each correction or withdrawal.
    """

    name: ClassVar[str] = "application.received"
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 had one content for each application
    campaign: CampaignIdField
    application_id: ApplicationIdField
    receipt: ReceiptField
    version: Version
    channel: Literal["web"]
    key_id: KeyIdField
    sealed: Annotated[str, Field(max_length=90_000)]
    received_at: Moment


class Decision(Value):
    """Verdict on one version that the applicant reads at the status address: codes only, never a class (ADR 0008).

    It follows from the application's own content alone (`docs/protocols.md` §1): whether the same person applied
    before is told to nobody outside. The highest version holds, and of one version the highest revision.
    """

    application_id: ApplicationIdField
    receipt: ReceiptField
    version: Version
    status: Literal["complete", "under-review", "rejected", "withdrawn"]
    reasons: tuple[ReasonCode, ...] = ()
    revision: Revision


class ApplicationsDecided(Event):
    """Verdicts for intake."""

    name: ClassVar[str] = "application.decided"
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 named neither receipt nor version
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
    """An entry for the draw: choices in order of preference, no person, no application id.

    `eligible`: classes that it could have asked for besides; empty unless further rounds are for everybody.
    `proof_sha256`: SHA-256 of the applicant's proof for the lottery. Of two verdicts on one receipt the one with the
    higher revision holds.
    """

    receipt: ReceiptField
    version: Version
    entry: EntryIdField
    proof_sha256: ProofDigestField
    token: TokenField
    channel: Channel
    choices: Annotated[tuple[Choice, ...], Field(min_length=1)]
    eligible: tuple[Choice, ...] = ()
    refused: tuple[Refusal, ...] = ()
    revision: Revision


class ApplicationsAccepted(Event):
    """Entries for the lottery."""

    name: ClassVar[str] = "application.accepted"
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 named application ids
    campaign: CampaignIdField
    items: Annotated[tuple[AcceptedApplication, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class RejectedApplication(Value):
    """Receipt that is not in the draw. `verdict` says why, `reasons` in detail.

    `superseded`: an exact copy of an earlier application, which stands. `discarded`: a paper that is no application.
    `entry`, `proof_sha256` and `token` are set where the content was readable: a correction after the draw needs them.
    """

    receipt: ReceiptField
    version: Version
    verdict: Literal["rejected", "withdrawn", "superseded", "discarded"]
    entry: EntryIdField | None = None
    proof_sha256: ProofDigestField | None = None
    token: TokenField | None = None
    channel: Channel
    reasons: tuple[ReasonCode, ...] = ()
    revision: Revision


class ApplicationsRejected(Event):
    """Receipts without an entry, for the lottery."""

    name: ClassVar[str] = "application.rejected"
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 named application ids
    campaign: CampaignIdField
    items: Annotated[tuple[RejectedApplication, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class HeldApplication(Value):
    """Receipt that waits for a person at the desk; the draw waits with it. Other members as in an accepted one."""

    receipt: ReceiptField
    version: Version
    entry: EntryIdField
    proof_sha256: ProofDigestField
    token: TokenField
    channel: Channel
    revision: Revision


class ApplicationsHeld(Event):
    """Receipts that wait for the desk, for the lottery."""

    name: ClassVar[str] = "application.held"
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 named application ids
    campaign: CampaignIdField
    items: Annotated[tuple[HeldApplication, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class Contact(Value):
    """Contact channel of an applicant, without the person: mail or post, and the mail domain's class for pacing.

    `complete`: the application's own content is in order, whether or not the same person may have applied before; it
    is acknowledged. `rejected`: it is not in the draw. `same-person`: after the draw only, and only where `contact`
    leads to an address that the standing application of the same person gave, too. `undecided`: after the draw only;
    the application was left out of it because of a doubt that was open when the list was frozen by approval. Only such
    an applicant may have the contact `telephone`. `left_out_of`: number of the result slips of the draw that left the
    application out, where that is known; a slip with a lower number is of a draw before it. `version`: of the
    application's content. The highest `revision` holds.
    """

    receipt: ReceiptField
    token: TokenField
    contact: Literal["mail", "post", "telephone"]
    mail_domain_class: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")] | None = None
    status: Literal["complete", "rejected", "same-person", "undecided"]
    left_out_of: Count | None = None
    version: Version
    revision: Revision

    @model_validator(mode="after")
    def _telephone_after_the_draw(self) -> Self:
        if self.contact == "telephone" and self.status != "undecided":
            raise ValueError("only an undecided application is told by telephone alone")
        return self


class ContactsRegistered(Event):
    name: ClassVar[str] = "contact.registered"
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 named application ids and reasons
    campaign: CampaignIdField
    items: Annotated[tuple[Contact, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class ClosedReceipt(Value):
    """Receipt number, its last version, and its line of the roll: SHA-256 of the last receipt document."""

    receipt: ReceiptField
    version: Version
    line: RollLine


class DrawPublished(Event):
    """The draw of a campaign is published: from now on intake shows each complete application as drawn.

    `entries`: number of entries of the frozen list, each of which has a slip of this draw: an application that is in
    order and has none was left out. None for a further round, which draws from a list that is known.
    """

    name: ClassVar[str] = "draw.published"
    campaign: CampaignIdField
    draw: DrawIdField
    entries: Count | None = None


class DuplicatesSearched(Event):
    """The vault compared all applications with each other. `list_sha256`: the list's name (`shared.searched_list`)."""

    name: ClassVar[str] = "duplicates.searched"
    campaign: CampaignIdField
    list_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    applications: Count


class ReceiptsClosed(Event):
    """All receipts of a campaign, papers too, in parts: the draw can prove that none went missing."""

    name: ClassVar[str] = "receipts.closed"
    names_erased_people: ClassVar[bool] = True
    v: Literal[2] = 2  # type: ignore[assignment]  # version 1 named application ids
    campaign: CampaignIdField
    part: Ordinal
    parts: Ordinal
    total: Count
    items: Annotated[tuple[ClosedReceipt, ...], Field(max_length=1000)]
