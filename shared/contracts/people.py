"""Messages about staff: ids, roles and acts; names stay in the vault (docs/protocols.md §8)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from shared.contracts.base import BATCH_LIMIT, Event, Moment, Value
from shared.ids import CampaignIdField
from shared.staff_roles import Role

StaffIdField = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
SessionIdField = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")]

MOST_ENDED: Final = 20
"""Sessions that one event ends."""


class StaffChanged(Event):
    """A person may sign in with these roles now, or with none. Sign-ins before `not_before` are void.

    `not_before` is on the vault's machine clock. Consumers keep the newest event of each person. `ended`: ids (`sid`)
    of single sessions of the vault that have ended, with everything that began in them; the person's others go on.
    """

    name: ClassVar[str] = "staff.changed"
    sub: StaffIdField
    not_before: Moment
    roles: Annotated[tuple[Role, ...], Field(max_length=len(Role))]
    ended: Annotated[tuple[SessionIdField, ...], Field(max_length=MOST_ENDED)] = ()


class StaffAct(StrEnum):
    """Act of staff at intake, lottery or notifier. The vault writes its own acts into the log itself."""

    FREEZE_LIST = "freeze-list"
    ATTACH_EVIDENCE = "attach-evidence"
    ENTER_BEACON = "enter-beacon"
    REDRAW = "redraw"
    LATER_ROUND = "later-round"
    OPEN_FURTHER_ROUND = "open-further-round"
    ATTACH_STAMP = "attach-stamp"
    ACCEPT_PLACE = "accept-place"
    DECLINE_PLACE = "decline-place"
    WITHDRAW_PLACE = "withdraw-place"
    GIVE_FREE_PLACE = "give-free-place"
    CORRECT_PLACE = "correct-place"
    USE_DEVICE = "use-device"
    SET_DEVICE_ASIDE = "set-device-aside"
    ANNOUNCE = "announce"
    CONFIRM_NOTICE_SENT = "confirm-notice-sent"
    SEND_NOTICE_BY_POST = "send-notice-by-post"
    CONFIRM_TELEPHONED = "confirm-telephoned"
    SEND_NOTICE_AGAIN = "send-notice-again"
    FETCH_CARDS = "fetch-cards"
    COUNT_CARDS = "count-cards"
    POST_CARDS = "post-cards"
    REORDER_CARDS = "reorder-cards"
    RECORD_RETURNED_CARD = "record-returned-card"
    READ_RESULTS = "read-results"
    READ_NOTICES = "read-notices"
    REPLAY_PARKED = "replay-parked"
    DISCARD_PARKED = "discard-parked"
    DISCARD_UNTRUSTED = "discard-untrusted"


ActingService = Literal["intake", "lottery", "notifier"]

PARKING_ACTS: Final = frozenset({StaffAct.REPLAY_PARKED, StaffAct.DISCARD_PARKED, StaffAct.DISCARD_UNTRUSTED})
"""Acts on messages, in every service. They belong to no campaign."""

APPLICANT_ACTS: Final = frozenset(
    {
        StaffAct.ACCEPT_PLACE,
        StaffAct.DECLINE_PLACE,
        StaffAct.WITHDRAW_PLACE,
        StaffAct.GIVE_FREE_PLACE,
        StaffAct.CORRECT_PLACE,
        StaffAct.CONFIRM_NOTICE_SENT,
        StaffAct.SEND_NOTICE_BY_POST,
        StaffAct.CONFIRM_TELEPHONED,
        StaffAct.SEND_NOTICE_AGAIN,
        StaffAct.RECORD_RETURNED_CARD,
        StaffAct.READ_RESULTS,
        StaffAct.READ_NOTICES,
    }
)
"""Acts on one application, and readings of one. The log names it by an HMAC: erasing the campaign's keys unlinks it."""

_NOTIFIER_ACTS: Final = frozenset(
    {
        StaffAct.ANNOUNCE,
        StaffAct.CONFIRM_NOTICE_SENT,
        StaffAct.SEND_NOTICE_BY_POST,
        StaffAct.CONFIRM_TELEPHONED,
        StaffAct.SEND_NOTICE_AGAIN,
        StaffAct.FETCH_CARDS,
        StaffAct.COUNT_CARDS,
        StaffAct.POST_CARDS,
        StaffAct.REORDER_CARDS,
        StaffAct.RECORD_RETURNED_CARD,
        StaffAct.READ_NOTICES,
    }
)

STAFF_ACTS: Final[Mapping[ActingService, frozenset[StaffAct]]] = {
    "intake": PARKING_ACTS,
    "lottery": frozenset(StaffAct) - _NOTIFIER_ACTS,
    "notifier": _NOTIFIER_ACTS | PARKING_ACTS,
}
"""Acts of each service. A service cannot report an act of another one."""


class ActOfStaff(Value):
    """One act. `case`: draw, receipt, notice, batch, device or message, never a person. `at`: machine clock."""

    sub: StaffIdField
    act: StaffAct
    case: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,79}$")]
    at: Moment


class StaffActed(Event):
    """Acts of staff at `service`, the publisher, for the vault's audit log (R-C7, R-C15)."""

    name: ClassVar[str] = "staff.acted"
    service: ActingService
    campaign: CampaignIdField | None = None
    items: Annotated[tuple[ActOfStaff, ...], Field(min_length=1, max_length=BATCH_LIMIT)]

    @model_validator(mode="after")
    def _has_own_acts(self) -> Self:
        if not {item.act for item in self.items} <= STAFF_ACTS[self.service]:
            raise ValueError("an act of another service")
        if self.campaign is None and not {item.act for item in self.items} <= PARKING_ACTS:
            raise ValueError("an act without its campaign")
        return self
