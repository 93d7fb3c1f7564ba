"""Wiring of approvals: pages and endpoints at the desk, and the listener that the ward can reach alone."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from fastapi import APIRouter, Depends, FastAPI, Request

from services.vault.approvals.endpoints import approvals_router
from services.vault.approvals.pages import TEMPLATES, TEXTS
from services.vault.approvals.pages.show import ApprovalPages
from services.vault.approvals.pages.site import approval_router, request_router
from services.vault.approvals.parts import ApprovalParts
from services.vault.people.pages.context import Web
from services.vault.people.pages.desk import desk_router
from services.vault.people.pages.passkeys import passkey_router
from services.vault.people.pages.sign_in import invitation_router, sign_in_router
from services.vault.people.pages.site import body_limits
from services.vault.people.parts import People
from services.vault.settings import VaultSettings
from shared.campaign import Campaign
from shared.cleartext import refuse_listening
from shared.errors import ConfigurationError
from shared.ids import CampaignId
from shared.service import server_config
from shared.signing import SigningKey
from shared.web import BodyLimit, RequestLimits, install_problems
from shared.web.listener import Listener
from shared.web.sign_in.origins import Origin, require_host

_OWN: Final = re.compile(r"(/en)?/approve(/.*)?|/v1/approvals(/.*)?")
_PERSONAL: Final = (sign_in_router, invitation_router, desk_router)
"""Pages of the listener besides approvals: signing in, and the own account. None leads to an applicant."""


@dataclass(frozen=True)
class ApprovalSite:
    """Routers of the desk, the limits of their bodies, and the listener; all empty without KUJI_ORIGINS."""

    routers: Sequence[APIRouter] = ()
    limits: Sequence[BodyLimit] = ()
    listener: Listener | None = None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Run the listener, if there is one, inside the context."""
        if self.listener is None:
            yield
            return
        async with self.listener.running():
            yield


def approval_site(
    settings: VaultSettings,
    people: People,
    signing: SigningKey,
    parts: ApprovalParts,
    campaigns: Mapping[CampaignId, Campaign],
) -> ApprovalSite:
    """Return the routers and the listener of a vault process. Raises ConfigurationError for unsafe origins."""
    if not settings.origins:
        return ApprovalSite()
    web = approval_web(people, settings.origins, signing, parts)
    routers, limits = approval_routers(web, parts, campaigns)
    if settings.approve_port is None or settings.approve_origin is None:
        return ApprovalSite(routers, limits)
    refuse_listening(settings, "KUJI_APPROVE_HOST", settings.approve_host)
    app = listener_app(web, settings.approve_origin, parts, campaigns)
    listener = Listener(server_config(app, settings), settings.approve_host, settings.approve_port)
    return ApprovalSite(routers, limits, listener)


def approval_web(people: People, origins: Mapping[str, str], signing: SigningKey, parts: ApprovalParts) -> Web:
    """Return the pages' common parts. Raises ConfigurationError as `Web.make` does."""
    return Web.make(people, origins, signing, parts.count_waiting, templates=[TEMPLATES], texts=[TEXTS])


def approval_routers(
    web: Web, parts: ApprovalParts, campaigns: Mapping[CampaignId, Campaign]
) -> tuple[Sequence[APIRouter], Sequence[BodyLimit]]:
    """Return the routers and the limits of their bodies, which are read for signed-in people only."""
    pages = ApprovalPages(web, parts.approvals, campaigns)
    router = pages_router(web)
    for texts in web.renderer.catalogues:
        for make in (request_router, approval_router):
            router.include_router(make(pages, texts), prefix=texts.prefix)
    endpoints = APIRouter()
    endpoints.include_router(approvals_router(web, parts.approvals))
    return [router, endpoints], [BodyLimit(_OWN, admit=web.require)]


def listener_app(web: Web, origin: str, parts: ApprovalParts, campaigns: Mapping[CampaignId, Campaign]) -> FastAPI:
    """Return the app of the listener: approvals, signing in, and the own account, without a route to any applicant.

    Raises ConfigurationError where its host name differs from the vault's, for which passkeys would not work.
    """
    parsed = Origin.parse(origin)
    if parsed.host != web.origin.host:
        raise ConfigurationError("KUJI_APPROVE_ORIGIN needs the vault's own host name, with another port")
    alone = replace(web, origin=parsed, others={}, is_alone=True)
    app = FastAPI(title="Kuji approvals", version="1", openapi_url=None, docs_url=None, redoc_url=None)
    install_problems(app)
    routers, limits = approval_routers(alone, parts, campaigns)
    app.add_middleware(RequestLimits, staff=alone.require, routes=[*limits, *body_limits(alone)])
    personal = pages_router(alone)
    personal.add_api_route("/assets/{name}", alone.renderer.asset, methods=["GET"], response_model=None)
    personal.include_router(passkey_router(alone))
    for texts in alone.renderer.catalogues:
        for make in _PERSONAL:
            personal.include_router(make(alone, texts), prefix=texts.prefix)
    for router in (*routers, personal):
        app.include_router(router)
    return app


def pages_router(web: Web) -> APIRouter:
    """Return a router for pages of the vault's own host name."""

    def this_host(request: Request) -> None:
        require_host(web.origin, request)

    return APIRouter(include_in_schema=False, dependencies=[Depends(this_host)])
