"""JSON routes of passkeys, which the pages' programs call: sign-in, registration, removal."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from services.vault.people.pages.context import Web, address_of
from services.vault.people.pages.sign_in import Target
from services.vault.people.refusals import SignInRefusedError
from shared.json_types import JsonObject
from shared.web.forms import form_fields
from shared.web.problems import ProblemError, problem
from shared.web.sign_in.origins import require_own_page

_FRESH_S: Final = 15 * 60
"""Age of a sign-in with which factors may be changed (OWASP ASVS 5, 7.5.1)."""


class PasskeyAnswer(BaseModel):
    """Answer of an authenticator, as the browser's program writes it; the library checks its members."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    answer: JsonObject
    target: dict[str, str] = {}


def passkey_router(web: Web) -> APIRouter:
    """Route the calls; they have no language."""
    router, passkeys = APIRouter(), web.people.passkeys

    @router.post("/sign-in/passkey/options")
    async def sign_in_options(request: Request) -> JsonObject:
        require_own_page(web.origin, request)
        try:
            return await passkeys.sign_in_options(web.origin, address_of(request))
        except SignInRefusedError:
            raise too_many() from None

    @router.post("/sign-in/passkey", response_model=None)
    async def sign_in(request: Request, body: PasskeyAnswer) -> Response:
        require_own_page(web.origin, request)
        try:
            signed_in = await passkeys.sign_in(web.origin, body.answer, web.device(request), address_of(request))
        except SignInRefusedError:
            raise _refused() from None
        await web.end_earlier_session(request)
        address = Target.read(body.target).after_sign_in(web.renderer.catalogues[0])
        return web.with_session(JSONResponse({"address": address}, headers=web.headers), signed_in)

    @router.post("/desk/me/passkeys/options")
    async def registration_options(request: Request) -> JsonObject:
        present = await web.require_fresh(request, _FRESH_S)
        return await passkeys.registration_options(web.origin, present.account)

    @router.post("/desk/me/passkeys", response_model=None)
    async def register(request: Request, body: PasskeyAnswer) -> Response:
        present = await web.require_fresh(request, _FRESH_S)
        try:
            signed_in = await passkeys.register(web.origin, present.account, body.answer, web.device(request))
        except SignInRefusedError:
            raise _refused() from None
        return web.with_session(JSONResponse({}, headers=web.headers), signed_in)

    @router.post("/desk/me/passkeys/delete", response_model=None)
    async def delete(request: Request, sent: Annotated[dict[str, str], Depends(form_fields)]) -> Response:
        present = await web.require_fresh(request, _FRESH_S)
        signed_in = await passkeys.delete(present, sent.get("passkey", ""), web.device(request))
        answer = web.to("/desk/me")
        return answer if signed_in is None else web.with_session(answer, signed_in)

    return router


def too_many() -> ProblemError:
    """Return the problem of an address that tried too often."""
    return problem(
        "too-many",
        429,
        "回数が多すぎます",
        "15分ほど待つか、ほかの方法でサインインしてください。",
        en="Wait fifteen minutes, or sign in in another way.",
    )


def _refused() -> ProblemError:
    return problem(
        "sign-in-refused",
        401,
        "パスキーを確かめられませんでした",
        "もう一度お試しください。",
        en="The passkey could not be verified; try again.",
    )
