"""Page of the vault's health, queues and parked messages, for engineers: it names no person (R-S3)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from services.vault.people.pages.context import Web
from services.vault.people.sign_in import Present
from shared.catalogue import Catalogue
from shared.errors import TransientError
from shared.messaging.parking import Parked
from shared.staff_roles import Right
from shared.web.health import HealthReport


@dataclass(frozen=True)
class Operations:
    """State of this service as engineers see it; messages come without their bodies."""

    health: Callable[[], Awaitable[HealthReport]]
    queue_depths: Callable[[], Awaitable[dict[str, int]]]
    parked: Callable[[], Awaitable[list[Parked]]]


def operations_router(web: Web, texts: Catalogue, operations: Operations) -> APIRouter:
    """Route the page of one language."""
    router = APIRouter(prefix="/desk/operations")

    @router.get("", response_model=None)
    async def page(request: Request) -> Response:
        return await web.shown_to(request, texts, show, Right.READ_QUEUES)

    async def show(present: Present) -> Response:
        depths, parked = await _queues(operations)
        health = await operations.health()
        path = "/desk/operations"
        return web.page("operations.html", texts, path, present=present, health=health, depths=depths, parked=parked)

    return router


async def _queues(operations: Operations) -> tuple[dict[str, int] | None, Sequence[Parked]]:
    """Return waiting messages by queue, and the parked ones; None and nothing while the broker is away."""
    try:
        return await operations.queue_depths(), await operations.parked()
    except TransientError:
        return None, ()
