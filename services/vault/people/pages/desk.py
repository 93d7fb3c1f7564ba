"""Pages of a signed-in person: the own account and sessions, the roster, and what each role may do."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.vault.people.enrolment import EnrolmentRefusedError
from services.vault.people.pages.context import Web
from services.vault.people.pages.sign_in import program_data
from services.vault.people.sign_in import Present
from shared.catalogue import Catalogue
from shared.staff_roles import RIGHTS, Role
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
        return await web.shown_to(request, texts, lambda present: _me(web, texts, present))

    @router.post("/me/sessions/end", response_model=None)
    async def end_session(request: Request, sent: Sent) -> Response:
        present = await web.require(request)
        await web.people.session_ends.end_one(present.account.id, sent.get("sid", ""))
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


async def _me(web: Web, texts: Catalogue, present: Present, wrong: str | None = None) -> Response:
    sessions = await web.people.sessions.of(present.account.id)
    passkeys = await web.people.passkeys.repository.of(present.account.id)
    data = program_data(texts)
    shown = {"sessions": sessions, "passkeys": passkeys, "data": data, "wrong": wrong}
    return web.page("me.html", texts, "/desk/me", status=409 if wrong else 200, present=present, shown=shown)
