"""Staff calls on the parking queue: list, replay, discard. Behind the staff guard; bodies are never shown."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from shared.messaging.errors import BrokerUnavailable, NotReplayable
from shared.messaging.parking import Parking
from shared.web.ops import Guard
from shared.web.problems import ProblemError, problem, unavailable

ParkedId = Annotated[str, Path(pattern=r"^[0-9a-f-]{32,36}$")]


def parking_router(parking: Parking, guard: Guard) -> APIRouter:
    router = APIRouter(prefix="/v1/parked", tags=["parked"], dependencies=[Depends(guard)])

    @router.get("")
    async def parked() -> dict[str, Any]:
        try:
            return {"v": 1, "messages": [asdict(message) for message in await parking.messages()]}
        except BrokerUnavailable:
            raise unavailable() from None

    @router.post("/{parked_id}/replay", status_code=202)
    async def replay(parked_id: ParkedId) -> dict[str, Any]:
        try:
            found = await parking.replay(parked_id)
        except BrokerUnavailable:
            raise unavailable() from None
        except NotReplayable:
            raise _not_replayable() from None
        if not found:
            raise _absent()
        return {"v": 1, "status": "replayed"}

    @router.delete("/{parked_id}", status_code=204)
    async def discard(parked_id: ParkedId) -> Response:
        try:
            found = await parking.discard(parked_id)
        except BrokerUnavailable:
            raise unavailable() from None
        if not found:
            raise _absent()
        return Response(status_code=204)

    return router


def _absent() -> ProblemError:
    return problem(
        "not-parked",
        404,
        "該当する保留メッセージがありません",
        "一覧を取り直して、番号を確かめてください。",
        en="No parked message has this id. List them again; somebody may have replayed or discarded it.",
    )


def _not_replayable() -> ProblemError:
    return problem(
        "not-replayable",
        409,
        "このメッセージは戻せません",
        "元の待ち行列が分からないため、破棄してください。",
        en="The message came from no queue of this service, so it can only be discarded.",
    )
