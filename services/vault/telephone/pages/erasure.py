"""Page of the register: carry out the erasure of one person that the ward granted, and hand out its certificate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from services.vault.people.sign_in import Present
from services.vault.person_erasure.order import PersonErasureOrders, PersonErasureRefusedError
from services.vault.person_erasure.repository import PersonErasureRepository
from services.vault.telephone.pages.requests import REGISTER, RequestPages
from shared.catalogue import Catalogue
from shared.staff_roles import Right
from shared.web.forms import form_fields

Sent = Annotated[dict[str, str], Depends(form_fields)]

_FILES: Final = {"pdf": ("page", "application/pdf"), "json": ("certificate", "application/json")}


@dataclass(frozen=True)
class ErasurePages:
    """Parts behind the pages."""

    requests: RequestPages
    orders: PersonErasureOrders
    erasures: PersonErasureRepository

    async def order(self, texts: Catalogue, present: Present, request_id: str, sent: Mapping[str, str]) -> Response:
        """Order the erasure, and lead back to the register, which shows its progress."""
        try:
            await self.orders.order(present.account, request_id, sent.get("typed", ""))
        except PersonErasureRefusedError as refused:
            return await self.requests.listed(texts, present, f"requests.wrong.erasure.{refused.reason}")
        return self.requests.web.to(f"{texts.prefix}{REGISTER}")

    async def certificate(self, texts: Catalogue, present: Present, request_id: str, kind: str) -> Response:
        """Return the certificate as PDF or JSON."""
        record = await self.erasures.of_request(request_id)
        member, media_type = _FILES[kind]
        content = None if record is None else getattr(record, member)
        if content is None:
            return await self.requests.listed(texts, present, "requests.wrong.erasure.not-certified")
        named = {"Content-Disposition": f'attachment; filename="certificate.{kind}"'}
        return Response(content, media_type=media_type, headers={**self.requests.web.headers, **named})


def erasure_pages_router(pages: ErasurePages, texts: Catalogue) -> APIRouter:
    """Route the order and the certificate, in one language."""
    router, web = APIRouter(prefix=f"{REGISTER}/{{request_id}}"), pages.requests.web

    @router.post("/erasure", response_model=None)
    async def order(request: Request, request_id: str, sent: Sent) -> Response:
        await web.require(request)
        return await web.shown_to(
            request, texts, lambda present: pages.order(texts, present, request_id, sent), Right.OPEN_PEOPLE
        )

    async def certificate(request: Request, request_id: str, kind: str) -> Response:
        return await web.shown_to(
            request,
            texts,
            lambda present: pages.certificate(texts, present, request_id, kind),
            Right.READ_SUBJECT_REQUESTS,
        )

    @router.get("/certificate.pdf", response_model=None)
    async def pdf(request: Request, request_id: str) -> Response:
        return await certificate(request, request_id, "pdf")

    @router.get("/certificate.json", response_model=None)
    async def signed(request: Request, request_id: str) -> Response:
        return await certificate(request, request_id, "json")

    return router
