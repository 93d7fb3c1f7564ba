"""Page of the vault's health, queues and parked messages, for engineers: it names no person (R-S3)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from services.vault.people.pages.context import Web
from shared.catalogue import Catalogue
from shared.errors import TransientError
from shared.messaging.parking import Parked
from shared.staff_roles import Right, may
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
        present = await web.present(request)
        if present is None:
            return web.to_sign_in(texts, request)
        if not may(present.account.roles, Right.READ_QUEUES):
            return web.page("no_right.html", texts, None, status=403, present=present)
        depths, parked = await _queues(operations)
        return web.page(
            "operations.html",
            texts,
            "/desk/operations",
            present=present,
            health=await operations.health(),
            depths=depths,
            parked=parked,
        )

    return router


async def _queues(operations: Operations) -> tuple[dict[str, int] | None, Sequence[Parked]]:
    """Return waiting messages by queue, and the parked ones; None and nothing while the broker is away."""
    try:
        return await operations.queue_depths(), await operations.parked()
    except TransientError:
        return None, ()
