"""Scans, devices and closings as they are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from services.lottery.reception.rules.attendance import Scan
from shared.ids import CampaignId, ClassId


@dataclass(frozen=True)
class StoredScan:
    """Scan as the lottery stores it. `place`: place id, None if the reading named no place."""

    scan: Scan
    place: str | None
    by: str
    actor: str
    received_at: datetime


@dataclass(frozen=True)
class NumberedScan:
    """Stored scan with its number in the order of arrival."""

    seq: int
    stored: StoredScan


@dataclass(frozen=True)
class Closing:
    """Count of the no-shows of a class. `released`: place ids that are gone from `at` on; `handed`: those processed."""

    campaign: CampaignId
    class_id: ClassId
    at: datetime
    no_shows: int
    people: int
    released: Sequence[str]
    handed: int = 0

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Closing":
        """Read a document of the collection `closings`."""
        names = ("campaign", "class_id", "at", "no_shows", "people", "released", "handed")
        return cls(**{name: document[name] for name in names})

    def to_document(self) -> Mapping[str, Any]:
        """Return the document of a new closing."""
        return {"_id": f"{self.campaign}/{self.class_id}", **asdict(self), "released": list(self.released)}


@dataclass(frozen=True)
class Device:
    """Reception device. `seen_at`: last synchronisation; `set_aside_by`: handler who stopped waiting for it."""

    name: str
    seen_at: datetime
    set_aside_by: str | None


def scan_from_document(document: Mapping[str, Any]) -> Scan:
    """Read the scan of a document of the collection `scans`."""
    return Scan(
        id=document["_id"],
        device=document["device"],
        at=document["at"],
        class_id=document["class_id"],
        people=document["people"],
        served_class=document["served_class"],
        undoes=document["undoes"],
        fault=document["fault"],
    )


def numbered_scan(document: Mapping[str, Any]) -> NumberedScan:
    """Read a document of the collection `scans`."""
    scan = scan_from_document(document)
    stored = StoredScan(scan, document["place"], document["by"], document["actor"], document["received_at"])
    return NumberedScan(document["seq"], stored)


def scan_document(campaign: CampaignId, seq: int, stored: StoredScan) -> Mapping[str, Any]:
    """Return the document of a scan with its number."""
    scan = stored.scan
    return {
        "_id": scan.id,
        "campaign": campaign,
        "seq": seq,
        "place": stored.place,
        "device": scan.device,
        "actor": stored.actor,
        "at": scan.at,
        "received_at": stored.received_at,
        "class_id": scan.class_id,
        "people": scan.people,
        "served_class": scan.served_class,
        "undoes": scan.undoes,
        "fault": scan.fault,
        "by": stored.by,
    }
