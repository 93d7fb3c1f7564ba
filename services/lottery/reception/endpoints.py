"""Reception over HTTP, for staff: roster, scans and attendance. No answer contains a name of a person."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.lottery.draw.problems import known_campaign
from services.lottery.reception.overview import Attendance, Overview
from services.lottery.reception.records import StoredScan
from services.lottery.reception.repository import ErasedError
from services.lottery.reception.rules.attendance import Verdict
from services.lottery.reception.rules.roster import RosterLine, admission_window, no_shows_at
from services.lottery.reception.service import Reading, ReceptionService, Sender, SyncResponse
from shared.campaign import Campaign, EventClass
from shared.canonical import canonical
from shared.clock import Clock
from shared.codes import EntryIdField, ProofField
from shared.contracts import PassText
from shared.ids import CampaignId, ClassIdField, ReceiptField
from shared.staff_roles import Right
from shared.web import LARGEST_INTEGER, problem
from shared.web.sign_in.staff import Access, Staff

T = TypeVar("T")

Device = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,4}-[0-9a-f]{8}$")]
"""Short name that staff gave to the device, and eight random digits; no free text."""

ScanId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
SENT_AT_ONCE: Final = 500


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class ScanBody(_Body):
    """One reading: exactly one of `pass`, `entry` with `proof`, and `receipt`.

    `compared`: the handler compared the name on mail or card with an identity paper. `desk`: the class that the desk
    served, null for all.
    """

    id: ScanId
    at: AwareDatetime
    class_id: ClassIdField
    people: Annotated[int, Field(ge=1, le=20)] = 1
    desk: ClassIdField | None = None
    undoes: ScanId | None = None
    shown: Annotated[PassText | None, Field(alias="pass")] = None
    entry: EntryIdField | None = None
    proof: ProofField | None = None
    receipt: ReceiptField | None = None
    compared: bool = False

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if sum(reading is not None for reading in (self.shown, self.entry, self.receipt)) != 1:
            raise ValueError("exactly one of `pass`, `entry` and `receipt`")
        if (self.entry is None) != (self.proof is None):
            raise ValueError("`entry` goes with its `proof`")
        if self.compared and self.receipt is None:
            raise ValueError("`compared` goes with a receipt number")
        return self

    def reading(self) -> Reading:
        return Reading(
            self.id,
            self.at,
            self.class_id,
            self.people,
            self.desk,
            self.undoes,
            shown=self.shown,
            entry=self.entry,
            proof=self.proof,
            receipt=self.receipt,
            compared=self.compared,
        )


class SyncBody(_Body):
    """`since`: the cursor of the last answer; 0 at first."""

    device: Device
    since: Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
    scans: Annotated[tuple[ScanBody, ...], Field(max_length=SENT_AT_ONCE)] = ()


def reception_router(
    campaigns: Mapping[CampaignId, Campaign],
    reception: ReceptionService,
    overview: Overview,
    clock: Clock,
    keys: Callable[[], Sequence[str]],
    access: Access,
) -> APIRouter:
    """Return the routes of reception. `keys`: public keys by which devices check passes."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}/reception", tags=["staff"])
    signed_in = Annotated[Staff, Depends(access.guard(Right.ADMIT))]
    leading = Annotated[Staff, Depends(access.guard(Right.LEAD_RECEPTION))]

    @router.get("/roster", response_model=None)
    async def roster(campaign: str, request: Request, _: signed_in) -> Response:
        name = known_campaign(campaigns, campaign)
        body = roster_document(campaigns[name], await _unless_erased(reception.roster(name)), keys())
        tag = f'"{hashlib.sha256(canonical(body)).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "no-store"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return JSONResponse(body, headers=headers)

    @router.post("/scans")
    async def scans(campaign: str, body: SyncBody, staff: signed_in) -> dict[str, Any]:
        name = known_campaign(campaigns, campaign)
        sender = Sender(name, body.device, staff.actor, staff.session)
        readings = [scan.reading() for scan in body.scans]
        return _sync_document(await _unless_erased(reception.sync(sender, readings, body.since)), clock.now())

    @router.get("/attendance")
    async def attendance(campaign: str, _: signed_in) -> dict[str, Any]:
        return _attendance(await overview.of(campaigns[known_campaign(campaigns, campaign)], clock.now()))

    @router.post("/devices/{device}/set-aside")
    async def set_aside(campaign: str, device: Device, staff: leading) -> dict[str, Any]:
        name = known_campaign(campaigns, campaign)
        if not await reception.set_aside(name, device, staff.actor):
            raise problem("unknown-device", 404, "端末がありません", "端末の名前を確かめてください。")
        return {"v": 1, "device": device, "set_aside": True}

    return router


def roster_document(campaign: Campaign, lines: Sequence[RosterLine], keys: Sequence[str]) -> dict[str, Any]:
    """Return the roster with which a device works offline (`docs/protocols.md` §2, "Attendance")."""
    numbers = {event_class.id: event_class.number for event_class in campaign.classes}
    return {
        "v": 3,
        "campaign": campaign.id,
        "public_keys": list(keys),
        "classes": [_class(campaign, event_class) for event_class in campaign.classes],
        "places": [
            [
                line.entry,
                line.receipt,
                numbers[line.class_id],
                line.place.seats,
                line.place.state,
                _text(line.place.gone_at) if line.place.gone_at is not None else None,
                _text(line.place.held_since) if line.place.held_since is not None else None,
                line.proof_sha256,
            ]
            for line in lines
        ],
    }


def _class(campaign: Campaign, event_class: EventClass) -> dict[str, Any]:
    window = admission_window(event_class)
    return {
        "id": event_class.id,
        "number": event_class.number,
        "title": {"ja": event_class.title.ja, "en": event_class.title.en},
        "starts": _text(event_class.starts),
        "opens": _text(window.opens),
        "ends": _text(window.ends),
        "no_shows_at": _text(no_shows_at(campaign, event_class)),
    }


def _attendance(attendance: Attendance) -> dict[str, Any]:
    return {
        "v": 1,
        "classes": [
            {
                "id": own.id,
                **asdict(own.count),
                "absent": own.count.absent,
                "no_shows_at": _text(own.no_shows_at),
                "no_shows": own.no_shows,
                "released": own.released,
                "waits_for_devices": own.waits_for,
            }
            for own in attendance.classes
        ],
        "devices": [
            {"device": device.name, "seen_at": _text(device.seen_at), "set_aside_by": device.set_aside_by}
            for device in attendance.devices
        ],
        "conflicts": [{**asdict(conflict), "at": _text(conflict.at)} for conflict in attendance.conflicts],
    }


def _sync_document(response: SyncResponse, now: datetime) -> dict[str, Any]:
    return {
        "v": 1,
        "now": _text(now),
        "cursor": response.cursor,
        "more": response.more,
        "scans": [_scan(numbered.stored) for numbered in response.scans],
        "verdicts": {name: _verdict(verdict) for name, verdict in response.verdicts.items()},
    }


def _scan(stored: StoredScan) -> dict[str, Any]:
    scan = stored.scan
    return {
        "id": scan.id,
        "at": _text(scan.at),
        "device": scan.device,
        "class_id": scan.class_id,
        "people": scan.people,
        "desk": scan.served_class,
        "undoes": scan.undoes,
        "fault": scan.fault,
        "place": stored.place,
        "by": stored.by,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"code": verdict.code, "counted": verdict.counted, "first": verdict.first}


def _text(at: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds, as browsers write it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _unless_erased(answer: Awaitable[T]) -> T:
    """Await an answer; an erased campaign becomes a problem with status 410."""
    try:
        return await answer
    except ErasedError:
        raise problem(
            "erased",
            410,
            "この募集の受付は終わりました",
            "データは消去されました。端末に残る受付一覧も消去してください。",
            en="The campaign's data are erased; devices wipe their roster.",
        ) from None
