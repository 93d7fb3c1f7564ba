"""Pages of a signed-in person: the own account and sessions, the roster, and what each role may do."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.vault.people.account_forms import FieldError, read_account
from services.vault.people.enrolment import EnrolmentRefusedError
from services.vault.people.pages.context import Web
from services.vault.people.pages.sign_in import program_data
from services.vault.people.roster import Decided, RosterRefusedError
from services.vault.people.rules.account import StaffId, reason_not_on_duty
from services.vault.people.rules.requests import RequestId, RequestKind, may_approve
from services.vault.people.sign_in import Present
from shared.catalogue import Catalogue
from shared.staff_roles import RIGHTS, Right, Role, may
from shared.web.forms import form_fields

Sent = Annotated[dict[str, str], Depends(form_fields)]


def desk_router(web: Web, texts: Catalogue) -> APIRouter:
    """Route the pages of one language."""
    router = APIRouter(prefix="/desk")
    home = f"{texts.prefix}/desk/me"

    @router.get("", response_model=None)
    async def desk() -> Response:
        return web.to(home)

    @router.get("/me", response_model=None)
    async def me(request: Request) -> Response:
        present = await web.present(request)
        return web.to_sign_in(texts, request) if present is None else await _me(web, texts, present)

    @router.post("/me/sessions/end", response_model=None)
    async def end_session(request: Request, sent: Sent) -> Response:
        present = await web.require(request)
        await web.people.sessions.end(present.account.id, sent.get("sid", ""))
        return web.to(home)

    @router.post("/me/password", response_model=None)
    async def change_password(request: Request, sent: Sent) -> Response:
        present = await web.require(request)
        passwords = (sent.get("password", ""), sent.get("password_again", ""))
        try:
            signed_in = await web.people.enrolment.change_password(
                present, sent.get("current", ""), passwords, web.device(request)
            )
        except EnrolmentRefusedError as refused:
            return await _me(web, texts, present, f"refused.{refused.reason}")
        return web.with_session(web.to(home), signed_in)

    @router.get("/roles", response_model=None)
    async def roles(request: Request) -> Response:
        present = await web.present(request)
        if present is None:
            return web.to_sign_in(texts, request)
        return web.page("roles.html", texts, "/desk/roles", present=present, rights=RIGHTS, roles=tuple(Role))

    return router


def roster_router(web: Web, texts: Catalogue) -> APIRouter:
    """Route the roster and its requests in one language."""
    router = APIRouter(prefix="/desk/people")
    home = f"{texts.prefix}/desk/people"

    @router.get("", response_model=None)
    async def people(request: Request) -> Response:
        present = await web.present(request)
        if present is None:
            return web.to_sign_in(texts, request)
        return await _people(web, texts, present)

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

    @router.post("/requests/{request_id}/approve", response_model=None)
    async def approve(request: Request, request_id: str) -> Response:
        present = await web.require(request)
        try:
            decided = await web.people.roster.approve(present.account, RequestId(request_id))
        except RosterRefusedError as refused:
            return await _people(web, texts, present, wrong=f"roster.{refused.reason}")
        return await _people(web, texts, present, decided=decided)

    @router.post("/requests/{request_id}/refuse", response_model=None)
    async def refuse(request: Request, request_id: str) -> Response:
        present = await web.require(request)
        try:
            await web.people.roster.refuse(present.account, RequestId(request_id))
        except RosterRefusedError as refused:
            return await _people(web, texts, present, wrong=f"roster.{refused.reason}")
        return web.to(home)

    return router


async def _me(web: Web, texts: Catalogue, present: Present, wrong: str | None = None) -> Response:
    sessions = await web.people.sessions.of(present.account.id)
    passkeys = await web.people.passkeys.repository.of(present.account.id)
    data = program_data(texts)
    shown = {"sessions": sessions, "passkeys": passkeys, "data": data, "wrong": wrong}
    return web.page("me.html", texts, "/desk/me", status=409 if wrong else 200, present=present, shown=shown)


async def _people(
    web: Web,
    texts: Catalogue,
    present: Present,
    *,
    wrong: str | None = None,
    field: str = "",
    decided: Decided | None = None,
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
    return web.page(
        "people.html",
        texts,
        "/desk/people",
        status=409 if wrong else 200,
        present=present,
        accounts=[(account, reason_not_on_duty(account, today)) for account in accounts],
        waiting=waiting,
        set_up=await web.people.roster.is_set_up(),
        roles=tuple(Role),
        wrong=wrong,
        wrong_field=field,
        decided=decided,
        sent=sent or {},
    )
