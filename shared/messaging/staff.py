"""Calls on queues: depths, for programs too; list, replay and discard parked messages, for engineers.

Bodies are never shown.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Response

from shared.contracts import StaffAct
from shared.json_types import JsonObject
from shared.messaging.errors import BrokerUnavailableError, NotReplayableError
from shared.messaging.parking import Parking
from shared.messaging.untrusted import Untrusted
from shared.staff_acts import ActRecorder
from shared.web.description import describe_refusals
from shared.web.paging import Paging
from shared.web.problems import ProblemError, problem, unavailable
from shared.web.service_token import MetricsGuard
from shared.web.sign_in.staff import Staff, StaffGuard

_ASKING: Final = describe_refusals(
    {
        401: "`unauthorized`: sign in first",
        403: "`no-right`: not with these roles",
        503: "`unavailable`: the broker is away",
    }
)
_LISTING: Final = _ASKING | describe_refusals({422: "`invalid`: no place in the list, or no size of a page"})
_ACTING: Final = _ASKING | describe_refusals(
    {404: "`not-parked`: list them again", 422: "`invalid`: not the form of an id"}
)
_REPLAYING: Final = _ACTING | describe_refusals({409: "`not-replayable`: no queue of this service; discard it"})

ParkedId = Annotated[str, Path(pattern=r"^[0-9a-f-]{32,36}$")]


@dataclass(frozen=True)
class Inspection:
    """Ways to ask for the depths of this service's queues, and for their copies; None where one copy is enough."""

    depths: Callable[[], Awaitable[dict[str, int]]]
    copies: Callable[[], Awaitable[JsonObject | None]]


def parking_router(
    parking: Parking,
    untrusted: Untrusted,
    inspection: Inspection,
    record: ActRecorder,
    *,
    metrics: MetricsGuard,
    engineers: StaffGuard,
) -> APIRouter:
    """Return GET /v1/queues, the calls on /v1/parked, and those on /v1/untrusted.

    Acts on the broker have no transaction, so `record` makes each one durable before it happens.
    """
    root = APIRouter(prefix="/v1", tags=["queues"])
    _add_queues(root, inspection, metrics)
    router = APIRouter(dependencies=[Depends(engineers)])
    _add_untrusted(router, untrusted, record, engineers)
    Here = Annotated[Staff, Depends(engineers)]  # noqa: N806  (a type)

    @router.get("/parked", responses=_LISTING)
    async def parked(page: Paging) -> JsonObject:
        try:
            messages, following = await parking.page(page)
        except BrokerUnavailableError:
            raise unavailable() from None
        return {"v": 1, "messages": [asdict(message) for message in messages], "next": following}

    @router.post("/parked/{parked_id}/replay", status_code=202, responses=_REPLAYING)
    async def replay(parked_id: ParkedId, staff: Here) -> JsonObject:
        before = partial(record, staff.actor, StaffAct.REPLAY_PARKED, parked_id)
        try:
            found = await parking.replay(parked_id, before)
        except BrokerUnavailableError:
            raise unavailable() from None
        except NotReplayableError:
            raise _not_replayable() from None
        if not found:
            raise _absent()
        return {"v": 1, "status": "replayed"}

    @router.delete("/parked/{parked_id}", status_code=204, responses=_ACTING)
    async def discard(parked_id: ParkedId, staff: Here) -> Response:
        before = partial(record, staff.actor, StaffAct.DISCARD_PARKED, parked_id)
        try:
            found = await parking.discard(parked_id, before)
        except BrokerUnavailableError:
            raise unavailable() from None
        if not found:
            raise _absent()
        return Response(status_code=204)

    root.include_router(router)
    return root


def _add_queues(router: APIRouter, inspection: Inspection, metrics: MetricsGuard) -> None:
    @router.get("/queues", responses=_ASKING, dependencies=[Depends(metrics)])
    async def queues() -> JsonObject:
        try:
            answer: JsonObject = {"v": 1, "queues": await inspection.depths()}
        except BrokerUnavailableError:
            raise unavailable() from None
        with suppress(BrokerUnavailableError):
            found = await inspection.copies()
            answer |= {} if found is None else {"copies": found}
        return answer


def _add_untrusted(router: APIRouter, untrusted: Untrusted, record: ActRecorder, engineers: StaffGuard) -> None:
    Here = Annotated[Staff, Depends(engineers)]  # noqa: N806  (a type)

    @router.get("/untrusted", responses=_ASKING)
    async def records() -> JsonObject:
        try:
            count, found = await untrusted.count(), await untrusted.records()
        except BrokerUnavailableError:
            raise unavailable() from None
        return {"v": 1, "count": count, "messages": [asdict(record) for record in found]}

    @router.post("/untrusted/discard", responses=_ASKING)
    async def discard_all(staff: Here) -> JsonObject:
        await record(staff.actor, StaffAct.DISCARD_UNTRUSTED, "all")
        try:
            return {"v": 1, "discarded": await untrusted.discard_all()}
        except BrokerUnavailableError:
            raise unavailable() from None


def _absent() -> ProblemError:
    return problem(
        "not-parked",
        404,
        "該当する保留メッセージがありません",
        "一覧を取り直して、番号を確かめてください。",
        en="No parked message has this id. List them again; another person may have replayed or discarded it.",
    )


def _not_replayable() -> ProblemError:
    return problem(
        "not-replayable",
        409,
        "このメッセージは戻せません",
        "元の待ち行列が分からないため、破棄してください。",
        en="The message came from no queue of this service, so it can only be discarded.",
    )
