"""Pages of the register of requests: handlers record and carry out, the ward decides; no name stands on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from services.vault.applications.rules.subject_request import (
    DECISIONS,
    TRANSITIONS,
    IdentityCheck,
    RefusalReason,
    RequestKind,
    RequestState,
    days_left,
)
from services.vault.applications.subject_request_repository import SubjectRequest
from services.vault.closeout.rules.required_stores import OTHER_SERVICES
from services.vault.people.pages.context import Web
from services.vault.people.rules.account import Account
from services.vault.people.sign_in import Present
from services.vault.person_erasure.repository import PersonErasureRecord, PersonErasureRepository
from services.vault.telephone.changes import ChangeRefusedError
from services.vault.telephone.disclosure import Disclosures
from services.vault.telephone.pages.site import PATH, TelephonePages
from services.vault.telephone.requests import NextStep, SubjectRequests
from services.vault.telephone.rules.purposes import DeskPurpose
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.ids import ApplicationId
from shared.staff_roles import Right, may
from shared.web.forms import form_fields

Sent = Annotated[dict[str, str], Depends(form_fields)]

REGISTER: Final = "/desk/requests"
_WRONG: Final = 422


@dataclass(frozen=True)
class RequestPages:
    """Parts behind the pages."""

    pages: TelephonePages
    requests: SubjectRequests
    disclosures: Disclosures
    clock: Clock
    erasures: PersonErasureRepository

    @property
    def web(self) -> Web:
        return self.pages.web

    async def listed(self, texts: Catalogue, present: Present, wrong: str | None = None) -> Response:
        """Return the register, with the steps that this person may take."""
        now, erasures = self.clock.now(), await self.erasures.of_requests()
        rows = [
            (one, days_left(one.due, now), _steps_for(present.account, one, erased=_is_erased(one, erasures)))
            for one in await self.requests.register.all()
        ]
        return self.web.page(
            "requests.html",
            texts,
            REGISTER,
            status=_WRONG if wrong else 200,
            present=present,
            rows=rows,
            refusals=tuple(RefusalReason),
            erasures=erasures,
            services=OTHER_SERVICES,
            wrong=wrong,
        )

    async def record(
        self, texts: Catalogue, present: Present, application_id: str, sent: Mapping[str, str]
    ) -> Response:
        """Record a request of the person whose page is open."""
        kind = next((one for one in RequestKind if one == sent.get("kind")), None)
        identity = next((one for one in IdentityCheck if one == sent.get("identity")), None)
        wrong = None
        if kind is None or identity is None:
            wrong = "requests.wrong.fields"
        else:
            try:
                await self.requests.record(present.account, ApplicationId(application_id), kind, identity)
            except ChangeRefusedError as refused:
                wrong = f"requests.wrong.{refused.reason}"
        if wrong is None:
            return self.web.to(f"{texts.prefix}{REGISTER}")
        return await self.pages.opened(texts, present, application_id, DeskPurpose.RIGHTS, status=_WRONG, wrong=wrong)

    async def disclosure(self, texts: Catalogue, present: Present, request_id: str) -> Response:
        """Return the PDF of a disclosure that was granted."""
        try:
            content = await self.disclosures.pdf(present.account, request_id)
        except ChangeRefusedError as refused:
            return await self.listed(texts, present, f"requests.wrong.{refused.reason}")
        headers = {**self.web.headers, "Content-Disposition": 'attachment; filename="disclosure.pdf"'}
        return Response(content, media_type="application/pdf", headers=headers)

    async def advance(self, texts: Catalogue, present: Present, request_id: str, sent: Mapping[str, str]) -> Response:
        """Take a step, and lead back to the register."""
        state = next((one for one in RequestState if one == sent.get("to")), None)
        reason = next((one for one in RefusalReason if one == sent.get("reason")), None)
        if state is None:
            return await self.listed(texts, present, "requests.wrong.fields")
        try:
            following = NextStep(state, reason if state is RequestState.REFUSED else None)
            await self.requests.advance(present.account, request_id, following)
        except ChangeRefusedError as refused:
            return await self.listed(texts, present, f"requests.wrong.{refused.reason}")
        return self.web.to(f"{texts.prefix}{REGISTER}")


def _is_erased(request: SubjectRequest, erasures: Mapping[str, PersonErasureRecord]) -> bool:
    """Return True if the person was erased on another request."""
    return not request.application_id and request.id not in erasures


def _steps_for(account: Account, request: SubjectRequest, *, erased: bool) -> tuple[RequestState, ...]:
    """Return the next states to which this person may bring the request."""
    rights = {True: Right.DECIDE_SUBJECT_REQUESTS, False: Right.OPEN_PEOPLE}
    following = [state for state in RequestState if state in TRANSITIONS.after[request.state]]
    if request.kind is RequestKind.ERASURE and RequestState.DONE in following and not erased:
        return ()  # its own form leads there, and the certificate
    return tuple(state for state in following if may(account.roles, rights[state in DECISIONS]))


def requests_router(requests: RequestPages, texts: Catalogue) -> APIRouter:
    """Route the register and the form of a new request, in one language."""
    router, web = APIRouter(), requests.web

    @router.get(REGISTER, response_model=None)
    async def listed(request: Request) -> Response:
        return await web.shown_to(
            request, texts, lambda present: requests.listed(texts, present), Right.READ_SUBJECT_REQUESTS
        )

    @router.get(f"{REGISTER}/{{request_id}}/disclosure.pdf", response_model=None)
    async def disclosure(request: Request, request_id: str) -> Response:
        return await web.shown_to(
            request, texts, lambda present: requests.disclosure(texts, present, request_id), Right.OPEN_PEOPLE
        )

    @router.post(f"{REGISTER}/{{request_id}}", response_model=None)
    async def advance(request: Request, request_id: str, sent: Sent) -> Response:
        await web.require(request)
        return await web.shown_to(
            request,
            texts,
            lambda present: requests.advance(texts, present, request_id, sent),
            Right.READ_SUBJECT_REQUESTS,
        )

    @router.post(f"{PATH}/{{application_id}}/rights/requests", response_model=None)
    async def record(request: Request, application_id: str, sent: Sent) -> Response:
        await web.require(request)
        return await web.shown_to(
            request, texts, lambda present: requests.record(texts, present, application_id, sent), Right.OPEN_PEOPLE
        )

    return router
