"""Pages of approvals in one language; the same ones at the desk and at the listener of the ward."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.vault.approvals.factors import PasswordFactor
from services.vault.approvals.pages.show import ApprovalPages, mistake_of
from services.vault.approvals.service import RequestRefusedError
from services.vault.people.pages.context import address_of
from services.vault.people.refusals import SignInRefusedError
from shared.approvals import ApprovalId
from shared.catalogue import Catalogue
from shared.web.forms import form_fields

Sent = Annotated[dict[str, str], Depends(form_fields)]


def approval_router(pages: ApprovalPages, texts: Catalogue) -> APIRouter:
    """Route the list, and one approval with its forms."""
    router, web, approvals = APIRouter(prefix="/approve"), pages.web, pages.approvals

    @router.get("", response_model=None)
    async def listed(request: Request) -> Response:
        return await web.shown_to(request, texts, lambda present: pages.listed(texts, present))

    @router.get("/{approval_id}", response_model=None)
    async def one(request: Request, approval_id: str) -> Response:
        return await web.shown_to(request, texts, lambda present: pages.one(texts, present, approval_id))

    @router.post("/{approval_id}/sign", response_model=None)
    async def sign(request: Request, approval_id: str, sent: Sent) -> Response:
        present = await web.require(request)
        factor = _password(sent, web.device(request), address_of(request))
        try:
            await approvals.sign(present.account, ApprovalId(approval_id), factor)
        except (RequestRefusedError, SignInRefusedError) as refused:
            return await pages.one(texts, present, approval_id, mistake_of(refused))
        return web.to(f"{texts.prefix}/approve/{approval_id}")

    @router.post("/{approval_id}/document", response_model=None)
    async def take(request: Request, approval_id: str) -> Response:
        """Show the executed document, which its requester pastes into the page of the service that acts."""
        present = await web.require(request)
        try:
            executed = await approvals.hand_out(present.account, ApprovalId(approval_id))
        except RequestRefusedError as refused:
            return await pages.one(texts, present, approval_id, mistake_of(refused))
        return await pages.one(texts, present, approval_id, executed=executed)

    @router.post("/{approval_id}/refuse", response_model=None)
    async def refuse(request: Request, approval_id: str) -> Response:
        present = await web.require(request)
        try:
            await approvals.refuse(present.account, ApprovalId(approval_id))
        except RequestRefusedError as refused:
            return await pages.one(texts, present, approval_id, mistake_of(refused))
        return web.to(f"{texts.prefix}/approve")

    return router


def request_router(pages: ApprovalPages, texts: Catalogue) -> APIRouter:
    """Route the form of a new request; other services' pages lead here with kind, campaign and parameters."""
    router, web = APIRouter(prefix="/approve/new"), pages.web

    @router.get("", response_model=None)
    async def ask(request: Request) -> Response:
        present = await web.present(request)
        if present is None:
            return web.to_sign_in(texts, request)
        return pages.new(texts, present, dict(request.query_params))

    @router.post("", response_model=None)
    async def send(request: Request, sent: Sent) -> Response:
        """Write the request and sign it with the factors of the same form."""
        present = await web.require(request)
        try:
            draft = await pages.draft(present, sent)
            factor = _password(sent, web.device(request), address_of(request))
            await pages.approvals.sign(present.account, draft.content.id, factor)
        except (RequestRefusedError, SignInRefusedError) as refused:
            return pages.new(texts, present, sent, mistake_of(refused))
        return web.to(f"{texts.prefix}/approve/{draft.content.id}")

    return router


def _password(sent: dict[str, str], device: str | None, address: str) -> PasswordFactor:
    return PasswordFactor(sent.get("password", ""), sent.get("code", ""), device, address)
