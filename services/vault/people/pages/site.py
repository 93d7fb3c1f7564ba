"""All pages of people as one router, with the guard for request bodies sent to them."""

import re
from typing import Final

from fastapi import APIRouter, Depends, Request

from services.vault.people.pages.context import Web
from services.vault.people.pages.desk import desk_router
from services.vault.people.pages.operations import Operations, operations_router
from services.vault.people.pages.passkeys import passkey_router
from services.vault.people.pages.roster import decision_router, roster_router
from services.vault.people.pages.sign_in import invitation_router, sign_in_router
from services.vault.people.pages.terminal import terminal_page_router, terminal_router
from shared.web import BodyLimit
from shared.web.sign_in.origins import require_host

_OPEN: Final = re.compile(r"(/en)?/(sign-in(/invitation|/factors|/passkey(/options)?|/terminal)?|sign-out)")
"""Forms that a person without a session sends; each reads at most 4 KiB."""

_DESK: Final = re.compile(r"(/en)?/desk/.*")

_PAGES: Final = (
    sign_in_router, invitation_router, desk_router, roster_router, decision_router, terminal_page_router,
)  # fmt: skip


def pages_router(web: Web, operations: Operations) -> APIRouter:
    """Return the router: Japanese first, other languages below their prefixes."""

    def this_host(request: Request) -> None:
        require_host(web.origin, request)

    router = APIRouter(include_in_schema=False, dependencies=[Depends(this_host)])
    router.add_api_route("/assets/{name}", web.renderer.asset, methods=["GET"], response_model=None)
    router.include_router(passkey_router(web))
    router.include_router(terminal_router(web))
    for texts in web.renderer.catalogues:
        for pages in _PAGES:
            router.include_router(pages(web, texts), prefix=texts.prefix)
        router.include_router(operations_router(web, texts, operations), prefix=texts.prefix)
    return router


def body_limits(web: Web) -> tuple[BodyLimit, ...]:
    """Return the limits of the pages' forms: those of the desk are read for a signed-in person only."""
    return (BodyLimit(_OPEN), BodyLimit(_DESK, admit=web.require))
