"""Identifier of a place: one entry in one class. Pure."""

import uuid
from typing import NewType

from shared.ids import ApplicationId, ClassId

PlaceId = NewType("PlaceId", str)
"""Entry in hex, a slash, class id."""


def make_place_id(entry: bytes, class_id: str) -> PlaceId:
    """Make the id of the place that `entry` (16 bytes) has in a class."""
    return PlaceId(f"{entry.hex()}/{class_id}")


def split_place_id(place_id: str) -> tuple[ApplicationId, ClassId]:
    """Return application and class of a place."""
    entry, _, class_id = place_id.partition("/")
    return ApplicationId(str(uuid.UUID(hex=entry))), ClassId(class_id)
