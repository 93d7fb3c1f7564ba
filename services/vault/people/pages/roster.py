"""Pages of the roster: who handles data, what waits for a second person, who is signed in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.vault.people.account_forms import FieldError, read_account
from services.vault.people.pages.context import Web
from services.vault.people.roster import Decided, RosterRefusedError
from services.vault.people.rules.account import StaffId, reason_not_on_duty
from services.vault.people.rules.requests import RequestId, RequestKind, may_approve
from services.vault.people.session_ends import NoRightError
from services.vault.people.sign_in import Present
from shared.catalogue import Catalogue
from shared.staff_roles import Right, Role, may
from shared.web.forms import form_fields

Sent = Annotated[dict[str, str], Depends(form_fields)]


def roster_router(web: Web, texts: Catalogue) -> APIRouter:
    """Route the roster, requests to change it, and the end of sessions, in one language."""
    router = APIRouter(prefix="/desk/people")
    home = f"{texts.prefix}/desk/people"

    @router.get("", response_model=None)
    async def people(request: Request) -> Response:
        return await web.shown_to(request, texts, lambda present: _people(web, texts, present))

    @router.post("/requests", response_model=None)
    async def ask(request: Request, sent: Sent) -> Response:
        present = await web.require(request)
        try:
            kind = RequestKind(sent.get("kind", ""))
            proposal = read_account(sent) if kind in {RequestKind.CREATE, RequestKind.CHANGE} else None
            account = StaffId(sent.get("id", "").strip())
            await web.people.roster.ask(present.account, kind, account, proposal)
        except (FieldError, ValueError) as wrong:
            field = wrong.field if isinstance(wrong, FieldError) else "kind"
            return await _people(web, texts, present, wrong="roster.field", field=field, sent=sent)
        except RosterRefusedError as refused:
            return await _people(web, texts, present, wrong=f"roster.{refused.reason}", sent=sent)
        return web.to(home)

    @router.post("/sessions/end", response_model=None)
    async def end_sessions(request: Request, sent: Sent) -> Response:
        present = await web.require(request)
        staff_id = StaffId(sent.get("id", ""))
        try:
            is_known = await web.people.session_ends.end_all(present.account, staff_id)
        except NoRightError:
            return await _people(web, texts, present, wrong="roster.no-right")
        wrong = None if is_known else "roster.unknown"
        return await _people(web, texts, present, wrong=wrong, ended=staff_id if is_known else None)

    return router


def decision_router(web: Web, texts: Catalogue) -> APIRouter:
    """Route the decisions about requests in one language."""
    router = APIRouter(prefix="/desk/people/requests/{request_id}")

    @router.post("/approve", response_model=None)
    async def approve(request: Request, request_id: str) -> Response:
        present = await web.require(request)
        try:
            decided = await web.people.roster.approve(present.account, RequestId(request_id))
        except RosterRefusedError as refused:
            return await _people(web, texts, present, wrong=f"roster.{refused.reason}")
        return await _people(web, texts, present, decided=decided)

    @router.post("/refuse", response_model=None)
    async def refuse(request: Request, request_id: str) -> Response:
        present = await web.require(request)
        try:
            await web.people.roster.refuse(present.account, RequestId(request_id))
        except RosterRefusedError as refused:
            return await _people(web, texts, present, wrong=f"roster.{refused.reason}")
        return web.to(f"{texts.prefix}/desk/people")

    return router


async def _people(
    web: Web,
    texts: Catalogue,
    present: Present,
    *,
    wrong: str | None = None,
    field: str = "",
    decided: Decided | None = None,
    ended: StaffId | None = None,
    sent: dict[str, str] | None = None,
) -> Response:
    """Return the roster with what waits for a second person; 403 without the right to read it."""
    if not may(present.account.roles, Right.READ_ROSTER) and not may(present.account.roles, Right.REQUEST_RESET):
        return web.page("no_right.html", texts, None, status=403, present=present)
    today = web.people.duty.today()
    waiting = [
        (request, may_approve(request, present.account.id, present.account.roles))
        for request in await web.people.requests.waiting()
    ]
    accounts = [stored.account for stored in await web.people.accounts.all()]
    sessions = await web.people.sessions.count_open()
    return web.page(
        "people.html",
        texts,
        "/desk/people",
        status=409 if wrong else 200,
        present=present,
        accounts=[(one, reason_not_on_duty(one, today), sessions.get(one.id, 0)) for one in accounts],
        waiting=waiting,
        alone=await web.people.roster.roles_of_one(),
        set_up=await web.people.roster.is_set_up(),
        roles=tuple(Role),
        wrong=wrong,
        wrong_field=field,
        decided=decided,
        ended=ended,
        sent=sent or {},
    )
