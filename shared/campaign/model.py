"""The campaign file as typed values: the one place where an event is described.

What the law of the project forbids cannot be expressed here or does not load: items beyond R-D1/R-D2, free
text (R-D4, R-C5), impossible dates and capacities. Times carry an offset; the reader's zone is Asia/Tokyo.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.campaign import quicknet
from shared.campaign.beacon_schedule import REHEARSAL, Schedule, schedule_of
from shared.ids import CampaignIdField, ClassIdField

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
PageAddress = Annotated[
    str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._/-]*)?$", max_length=100)
]
Grade = Literal["p1", "p2", "p3", "p4", "p5", "p6", "j1", "j2", "j3"]
Purpose = Literal["intake", "eligibility", "result-notice", "print", "desk", "return", "erasure"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Part):
    """Japanese first, English beside it."""

    ja: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
    en: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]

    def in_language(self, lang: str) -> str:
        """Languages that have no text of their own read the English."""
        return self.ja if lang == "ja" else self.en


class PurposeOfUse(_Part):
    """Purpose of use, shown before data is given (R-D3, R-C4); the sealed application holds its version."""

    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,32}$")]
    text: Text


class Office(_Part):
    """Office that sends the results and answers questions."""

    name: Line
    department: Line
    postal_code: Annotated[str, StringConstraints(pattern=r"^\d{7}$")]
    address: Line
    phone: Line
    fax: Line
    mail_from: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
    mail_to: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]


class Contract(_Part):
    """The outsourcing contract: its title stands on the certificate; work happens within its dates (R-B11)."""

    title: Line
    starts: AwareDatetime
    ends: AwareDatetime


class Residency(_Part):
    """Ward whose residents may apply (R-B2)."""

    prefecture: Line
    ward: Line


class Window(_Part):
    """Web applications from `opens` to before `closes`; paper that came in time may be keyed until `paper_until`."""

    opens: AwareDatetime
    closes: AwareDatetime
    paper_until: AwareDatetime


class Beacon(_Part):
    """The drand quicknet, or a rehearsal's own chain, and a round of it that is named before it exists.

    `round`: of the first draw; None: the first one after the time that the witnesses have. `genesis` and `period`
    stand with a rehearsal's chain only: time of round 1 in seconds since 1970, and seconds.
    """

    chain: Annotated[str, StringConstraints(pattern=rf"^([0-9a-f]{{64}}|{REHEARSAL})$")]
    public_key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{192}$")]
    round: Annotated[int, Field(ge=1)] | None = None
    genesis: Annotated[int, Field(ge=0)] | None = None
    period: Annotated[int, Field(ge=1, le=3600)] | None = None

    @property
    def schedule(self) -> Schedule:
        return schedule_of(self.genesis, self.period)


_QUICKNET: Final = Beacon(chain=quicknet.CHAIN, public_key=quicknet.PUBLIC_KEY)

Relay = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?$", max_length=200)]


class DrawRules(_Part):
    """When and how chance decides (R-B7): by a beacon (None: quicknet); `both` adds the digits of witnesses."""

    at: AwareDatetime
    source: Literal["beacon", "both"] = "both"
    witnesses: Annotated[int, Field(ge=2, le=10)] = 2
    beacon: Beacon | None = None
    max_wins: Annotated[int, Field(ge=1, le=20)] = 1
    preferences: bool = True
    further_round: Literal["asked", "everybody"] = "asked"
    """Who takes part in a further round for places that stay free: entries that asked for the class, or every eligible
    entry without a place. With `everybody` the vault tells the lottery for which other classes an entry is eligible."""
    objection_hours: Annotated[float, Field(ge=0, le=24 * 14)] = 0
    """Between the list's publication and its chance: time to look at it and to object."""
    relays: Annotated[tuple[Relay, ...], Field(max_length=8)] = ()
    """Base addresses of drand relays to ask for the beacon's value. None: staff paste it, and nothing is asked."""

    @property
    def uses_dice(self) -> bool:
        """True where witnesses enter digits."""
        return self.source == "both"

    @property
    def chain(self) -> Beacon:
        """Beacon of the draw."""
        return self.beacon or _QUICKNET


class Reception(_Part):
    """Settings of the day: no-shows are counted `no_show_minutes` after a class starts.

    `release`: their places then go to the waiting list. `hold_until`: so long freed seats wait for a group at the head
    of the waiting list that does not fit into them; None: until the class starts.
    """

    no_show_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 15
    release: bool = False
    hold_until: AwareDatetime | None = None


class Offers(_Part):
    """Settings for offering freed places to the waiting list.

    `hours`: time to answer an offer; 0: the next applicant gets the place unasked. `until`: the latest time
    to answer; None: until the class starts. `page`: the public address of the page for giving up and answering; None:
    by telephone only.
    """

    hours: Annotated[int, Field(ge=0, le=24 * 14)] = 72
    until: AwareDatetime | None = None
    page: PageAddress | None = None


class Pages(_Part):
    """Public addresses of pages that every notice names; None: the notices do not name the page.

    `status`: the page that shows an application's state; `verify`: the page that checks the draw.
    """

    status: PageAddress | None = None
    verify: PageAddress | None = None


CardForm = Literal["sealed", "open"]
"""Form of cards by post. `sealed`: 圧着はがき, folded and pressed, with code and passes inside. `open`: postcards that
anybody may read on their way, with neither."""


KeyingMode = Literal["twice", "sample", "once"]
"""Keyings of a paper. `twice`: by two handlers who do not see each other's; `sample`: one in ten so; `once`."""


class Eligibility(_Part):
    """Pupils by grade, others by age in years: a person qualifies by a listed grade, or by an age within bounds.

    `guardian_pair`: the place is for the pupil together with the guardian.
    """

    grades: frozenset[Grade] = frozenset()
    min_age: Annotated[int, Field(ge=0, le=120)] | None = None
    max_age: Annotated[int, Field(ge=0, le=120)] | None = None
    guardian_pair: bool = False

    @model_validator(mode="after")
    def _some_person_qualifies(self) -> Self:
        if not self.grades and self.min_age is None:
            raise ValueError("no person could take this class: give `grades`, `min_age`, or both")
        if self.max_age is not None and (self.min_age is None or self.max_age < self.min_age):
            raise ValueError("`max_age` needs a `min_age` that is not above it")
        return self


class EventClass(_Part):
    """One class (教室・体験) with few places. `capacity` and `seats` count people."""

    id: ClassIdField
    number: Annotated[int, Field(ge=1, le=99)]
    title: Text
    capacity: Annotated[int, Field(ge=1, le=100_000)]
    seats: Annotated[tuple[Annotated[int, Field(ge=1, le=20)], ...], Field(min_length=1)] = (1,)
    eligibility: Eligibility
    starts: AwareDatetime
    ends: AwareDatetime
    place: Text
    waiting: Annotated[int, Field(ge=0, le=100_000)] = 0


class Talk(_Part):
    """Announced only; needs no application (R-B1)."""

    title: Text


class CampaignFile(_Part):
    """The file's content, each member checked by itself; `rules.mistakes` checks the whole."""

    v: Literal[1]
    id: CampaignIdField
    rehearsal: bool = False
    title: Text
    contract: Contract
    office: Office
    purpose: PurposeOfUse
    purposes: frozenset[Purpose]
    collects: frozenset[str]
    residency: Residency
    window: Window
    draw: DrawRules
    reception: Reception = Reception()
    offers: Offers = Offers()
    pages: Pages = Pages()
    post: CardForm = "sealed"
    keying: KeyingMode = "twice"
    notify_by: AwareDatetime
    close_out: AwareDatetime
    bcc_batch: Annotated[int, Field(ge=1, le=100)] = 50
    classes: Annotated[tuple[EventClass, ...], Field(min_length=1)]
    talks: tuple[Talk, ...] = ()


class Campaign(CampaignFile):
    """A loaded campaign, with the SHA-256 (hex) of the exact bytes of its file."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

    def event_class(self, class_id: str) -> EventClass | None:
        return next((each for each in self.classes if each.id == class_id), None)
