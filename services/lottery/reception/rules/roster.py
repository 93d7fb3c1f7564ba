"""Roster of reception: the places of all entries with receipt numbers and without persons. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.lottery.promotion.place_id import PlaceId, make_place_id
from services.lottery.reception.rules.attendance import AdmissionWindow, Place
from services.lottery.record.passes import VALID_BEFORE
from shared.campaign import Campaign, EventClass
from shared.ids import ApplicationId, ClassId, Receipt, application_id_bytes


@dataclass(frozen=True)
class RosterLine:
    """Line of the roster: one place."""

    application_id: ApplicationId
    receipt: Receipt
    class_id: ClassId
    place: Place

    @property
    def place_id(self) -> PlaceId:
        return make_place_id(application_id_bytes(self.application_id), self.class_id)


def admission_window(event_class: EventClass) -> AdmissionWindow:
    """Return the admission window of a class: the time for which its passes are valid."""
    return AdmissionWindow(event_class.starts - VALID_BEFORE, event_class.ends)


def no_shows_at(campaign: Campaign, event_class: EventClass) -> datetime:
    """Return the time at which no-shows of a class are counted."""
    return event_class.starts + timedelta(minutes=campaign.reception.no_show_minutes)
