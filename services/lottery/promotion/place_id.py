"""Identifier of a place: one entry in one class. Pure."""

from typing import NewType

from shared.codes import EntryId
from shared.ids import ClassId

PlaceId = NewType("PlaceId", str)
"""Entry id, a slash, class id."""


def make_place_id(entry: EntryId, class_id: str) -> PlaceId:
    """Make the id of the place that an entry has in a class."""
    return PlaceId(f"{entry}/{class_id}")


def split_place_id(place_id: str) -> tuple[EntryId, ClassId]:
    """Return entry and class of a place."""
    entry, _, class_id = place_id.partition("/")
    return EntryId(entry), ClassId(class_id)
