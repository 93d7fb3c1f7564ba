"""Who holds what, as reception needs it: by entry and class, with the receipt number and without a person. Pure."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.lottery.reception.attendance import Holding, Place, Window
from shared.campaign import Campaign, EventClass
from shared.ids import ApplicationId, ClassId, Receipt, application_id_bytes

OPENS_EARLY: Final = timedelta(hours=6)
"""So long before a class starts its passes are good: reception opens when the doors do."""

_HOLDING: Final[Mapping[str, Holding]] = {"won": "held", "waiting": "waiting"}


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
    return Window(event_class.starts - OPENS_EARLY, event_class.ends)


def no_shows_at(campaign: Campaign, event_class: EventClass) -> datetime:
    """When those who have not come are counted."""
    return event_class.starts + timedelta(minutes=campaign.reception.no_show_minutes)


def lines_of(outcome: Mapping[str, Any], released: Mapping[str, datetime]) -> Iterator[Line]:
    """The lines of one application, from its published outcomes; `released`: since when, by place id."""
    for each in outcome["outcomes"]:
        state = _HOLDING.get(each["outcome"])
        if state is None:
            continue
        name, class_id = ApplicationId(outcome["_id"]), ClassId(each["class_id"])
        gone_at = released.get(place_id(application_id_bytes(name), class_id))
        place = Place(int(each["seats"]), state if gone_at is None else "gone", gone_at)
        yield Line(name, Receipt(outcome["receipt"]), class_id, place)


def by_place_id(lines: Iterable[Line]) -> dict[str, Line]:
    return {line.place_id: line for line in lines}
