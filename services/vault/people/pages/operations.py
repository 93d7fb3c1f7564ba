"""Page of the vault's health, queues and parked messages, for engineers: it names no person (R-S3)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request, Response

from services.vault.people.pages.context import Web
from services.vault.people.sign_in import Present
from shared.catalogue import Catalogue
from shared.errors import TransientError
from shared.messaging.parking import Parked
from shared.paging import PageRequest
from shared.staff_roles import Right
from shared.web.health import HealthReport

_ROWS: Final = 100
"""Parked messages on one page."""
_LONGEST_ID: Final = 64


@dataclass(frozen=True)
class Operations:
    """State of this service as engineers see it; messages come without their bodies."""

    health: Callable[[], Awaitable[HealthReport]]
    queue_depths: Callable[[], Awaitable[dict[str, int]]]
    parked: Callable[[PageRequest], Awaitable[tuple[list[Parked], str | None]]]


def operations_router(web: Web, texts: Catalogue, operations: Operations) -> APIRouter:
    """Route the page of one language."""
    router = APIRouter(prefix="/desk/operations")

    @router.get("", response_model=None)
    async def page(request: Request) -> Response:
        after = request.query_params.get("after", "")[:_LONGEST_ID]

        async def show(present: Present) -> Response:
            depths, parked, following = await _queues(operations, after)
            health = await operations.health()
            path = None if after else "/desk/operations"
            return web.page(
                "operations.html", texts, path, present=present, health=health, depths=depths, parked=parked,
                after=after, following=following,
            )  # fmt: skip

        return await web.shown_to(request, texts, show, Right.READ_QUEUES)

    return router


async def _queues(operations: Operations, after: str) -> tuple[dict[str, int] | None, Sequence[Parked], str | None]:
    """Return waiting messages by queue, a page of the parked ones, and the `after` of the next page.

    None and nothing while the broker is away.
    """
    try:
        return await operations.queue_depths(), *(await operations.parked(PageRequest(after, _ROWS)))
    except TransientError:
        return None, (), None
