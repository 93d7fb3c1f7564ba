"""Who holds what, as reception needs it: by entry and class, with the receipt number and without a person. Pure."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.lottery.reception.rules.attendance import Holding, Place, Window
from services.lottery.record.passes import VALID_BEFORE
from shared.campaign import Campaign, EventClass
from shared.ids import ApplicationId, ClassId, Receipt, application_id_bytes


@dataclass(frozen=True)
class Line:
    """One line of the roster. `place_id`: the entry in hex, and the class."""

    application_id: ApplicationId
    receipt: Receipt
    class_id: ClassId
    place: Place

    @property
    def place_id(self) -> str:
        return place_id(application_id_bytes(self.application_id), self.class_id)


def place_id(entry: bytes, class_id: ClassId) -> str:
    return f"{entry.hex()}/{class_id}"


def application_of(place: str) -> ApplicationId:
    return ApplicationId(str(uuid.UUID(hex=place.partition("/")[0])))


def window_of(event_class: EventClass) -> Window:
    """From some hours before the class until it ends: the same as the passes say."""
    return Window(event_class.starts - VALID_BEFORE, event_class.ends)


def no_shows_at(campaign: Campaign, event_class: EventClass) -> datetime:
    """When those who have not come are counted."""
    return event_class.starts + timedelta(minutes=campaign.reception.no_show_minutes)


def line_of(document: Mapping[str, Any], released: Mapping[str, datetime], passed_on: Mapping[str, datetime]) -> Line:
    """A line from a place as the ledger of places has it.

    By place id: `released`, since when reception gave it up; `passed_on`, when it came to somebody after the draw.
    """
    name, class_id = ApplicationId(document["application_id"]), ClassId(document["class_id"])
    key, seats = place_id(application_id_bytes(name), class_id), int(document["seats"])
    state: Holding = "gone" if key in released else document["state"]
    place = Place(seats, state, released.get(key, document["gone_at"]), passed_on.get(key))
    return Line(name, Receipt(document["receipt"]), class_id, place)
