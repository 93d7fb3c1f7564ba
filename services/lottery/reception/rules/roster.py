"""Roster of reception: the places of all entries with receipt numbers and digests of proofs, without persons. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.lottery.promotion.place_id import PlaceId, make_place_id
from services.lottery.reception.rules.attendance import AdmissionWindow, Place
from services.lottery.record.passes import VALID_BEFORE
from shared.campaign import Campaign, EventClass
from shared.codes import EntryId, ProofDigest
from shared.ids import ClassId, Receipt


@dataclass(frozen=True)
class RosterLine:
    """Line of the roster: one place. `proof_sha256`: with it a device checks the applicant's code offline."""

    entry: EntryId
    receipt: Receipt
    class_id: ClassId
    place: Place
    proof_sha256: ProofDigest | None = None

    @property
    def place_id(self) -> PlaceId:
        return make_place_id(self.entry, self.class_id)


def admission_window(event_class: EventClass) -> AdmissionWindow:
    """Return the admission window of a class: the time for which its passes are valid."""
    return AdmissionWindow(event_class.starts - VALID_BEFORE, event_class.ends)


def no_shows_at(campaign: Campaign, event_class: EventClass) -> datetime:
    """Return the time at which no-shows of a class are counted."""
    return event_class.starts + timedelta(minutes=campaign.reception.no_show_minutes)
