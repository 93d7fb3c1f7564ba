"""The page that shows a code for a terminal, and the call with which the terminal takes it."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.vault.people.pages.context import Web, address_of
from services.vault.people.pages.passkeys import too_many
from services.vault.people.refusals import SignInRefusedError
from shared.catalogue import Catalogue
from shared.web.problems import problem
from shared.web.sign_in.origins import require_own_page


class TerminalCode(BaseModel):
    """Code as a person typed it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    code: Annotated[str, Field(max_length=40)]


def terminal_page_router(web: Web, texts: Catalogue) -> APIRouter:
    """Route the page of one language."""
    router = APIRouter(prefix="/desk/terminal")

    @router.get("", response_model=None)
    async def page(request: Request) -> Response:
        present = await web.present(request)
        if present is None:
            return web.to_sign_in(texts, request)
        return web.page("terminal.html", texts, "/desk/terminal", present=present, code=None)

    @router.post("", response_model=None)
    async def make_code(request: Request) -> Response:
        present = await web.require(request)
        code = await web.people.terminal.make_code(present)
        return web.page("terminal.html", texts, None, present=present, code=code)

    return router


def terminal_router(web: Web) -> APIRouter:
    """Route the terminal's call; it has no language."""
    router = APIRouter()

    @router.post("/sign-in/terminal", response_model=None)
    async def take_code(request: Request, body: TerminalCode) -> Response:
        require_own_page(web.origin, request)
        try:
            session = await web.people.terminal.start(body.code, address_of(request))
        except SignInRefusedError:
            raise too_many() from None
        if session is None:
            raise problem(
                "no-such-code",
                401,
                "コードが正しくありません",
                "画面で新しいコードを表示して、入力してください。",
                en="The code is wrong, was used, or is too old; show a new one at /desk/terminal.",
            )
        answer = JSONResponse({"id": session.staff_id}, headers=web.headers)
        return web.with_session_cookie(answer, session.secret)

    return router
