"""Scans and devices as they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.lottery.reception.rules.attendance import Scan
from shared.ids import CampaignId


@dataclass(frozen=True)
class StoredScan:
    """Scan as the lottery stores it. `place`: place id, None if the reading named no place."""

    scan: Scan
    place: str | None
    by: str
    actor: str
    received_at: datetime


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
        desk=document["desk"],
        undoes=document["undoes"],
        fault=document["fault"],
    )


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
        "desk": scan.desk,
        "undoes": scan.undoes,
        "fault": scan.fault,
        "by": stored.by,
    }
