"""Pages for signing in: password and one-time code, and the use of an invitation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self
from urllib.parse import urlencode, urlsplit

import segno
from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup

from services.vault.people.code_repository import Invitation
from services.vault.people.enrolment import EnrolmentRefusedError
from services.vault.people.pages.context import Web, address_of
from services.vault.people.refusals import SignInRefusedError
from services.vault.people.rules.one_time import provisioning_uri
from services.vault.people.rules.passwords import LONGEST, SHORTEST
from services.vault.people.sign_in import PasswordAttempt
from shared.catalogue import Catalogue
from shared.json_types import JsonObject
from shared.web.forms import form_fields
from shared.web.sign_in.nonce import is_nonce
from shared.web.sign_in.origins import require_own_page

Sent = Annotated[dict[str, str], Depends(form_fields)]

_ISSUER: Final = "Kuji"
_WRONG: Final = 401
_TOO_MANY: Final = 429


@dataclass(frozen=True)
class Target:
    """Where a sign-in leads: a page of the vault, or another service with its nonce."""

    path: str
    service: str
    nonce: str

    @classmethod
    def read(cls, sent: Mapping[str, str]) -> Self:
        """Read a query or a form; a nonce that is none leads to the person's own page."""
        nonce = sent.get("nonce", "")
        return cls(inside(sent.get("next", "")), sent.get("for", "") if is_nonce(nonce) else "", nonce)

    def after_sign_in(self, texts: Catalogue) -> str:
        """Return the path of the vault that goes on from here."""
        if not self.service:
            return self.path
        return f"{texts.prefix}/sign-in?{urlencode({'for': self.service, 'nonce': self.nonce})}"


def sign_in_router(web: Web, texts: Catalogue) -> APIRouter:
    """Route the pages of one language."""
    router = APIRouter()

    @router.get("/sign-in", response_model=None)
    async def ask(request: Request) -> Response:
        target, present = Target.read(request.query_params), await web.present(request)
        if present is None:
            return _form(web, texts, target)
        if target.service not in web.others:
            return web.to(target.path)
        if not await web.people.roster.is_set_up():
            return web.page("not_set_up.html", texts, None, status=409, present=present)
        return web.to(web.assertion_address(present, target.service, target.nonce))

    @router.post("/sign-in", response_model=None)
    async def sign_in(request: Request, sent: Sent) -> Response:
        require_own_page(web.origin, request)
        target = Target.read(sent)
        attempt = PasswordAttempt(
            sent.get("id", "").strip(), sent.get("password", ""), sent.get("code", ""), web.device(request),
            address_of(request),
        )  # fmt: skip
        try:
            signed_in = await web.people.sign_in.by_password(attempt)
        except SignInRefusedError as refused:
            status = _TOO_MANY if refused.reason == "too-many" else _WRONG
            answer = _form(web, texts, target, f"refused.{refused.reason}", status)
            if refused.retry_after_s is not None:
                answer.headers["Retry-After"] = str(refused.retry_after_s)
            return answer
        await web.end_earlier_session(request)
        return web.with_session(web.to(target.after_sign_in(texts)), signed_in)

    @router.post("/sign-out", response_model=None)
    async def sign_out(request: Request) -> Response:
        require_own_page(web.origin, request)
        present = await web.present(request)
        if present is not None:
            await web.people.session_ends.end_one(present.account.id, present.session.sid)
        return web.without_session(web.to(f"{texts.prefix}/sign-in"))

    return router


def invitation_router(web: Web, texts: Catalogue) -> APIRouter:
    """Route the two pages with which an invited person chooses password and app, in one language."""
    router = APIRouter(prefix="/sign-in")

    @router.get("/invitation", response_model=None)
    async def ask_for_invitation() -> Response:
        return web.page("invitation.html", texts, "/sign-in/invitation", wrong=None)

    @router.post("/invitation", response_model=None)
    async def open_invitation(request: Request, sent: Sent) -> Response:
        require_own_page(web.origin, request)
        try:
            invitation = await web.people.enrolment.open(sent.get("id", ""), sent.get("code", ""), address_of(request))
        except EnrolmentRefusedError as refused:
            return _invitation_refused(web, texts, refused)
        return _factors(web, texts, invitation, sent["code"], None)

    @router.post("/factors", response_model=None)
    async def complete(request: Request, sent: Sent) -> Response:
        require_own_page(web.origin, request)
        code = sent.get("invitation", "")
        try:
            invitation = await web.people.enrolment.find(sent.get("id", ""), code, address_of(request))
        except EnrolmentRefusedError as refused:
            return _invitation_refused(web, texts, refused)
        passwords = (sent.get("password", ""), sent.get("password_again", ""))
        try:
            signed_in = await web.people.enrolment.complete(
                invitation, code, passwords, sent.get("code", ""), web.device(request), address_of(request)
            )
        except EnrolmentRefusedError as refused:
            return _factors(web, texts, invitation, code, f"refused.{refused.reason}")
        except SignInRefusedError as refused:
            return _form(web, texts, Target.read({}), f"refused.{refused.reason}", _WRONG)
        return web.with_session(web.to(f"{texts.prefix}/desk/me"), signed_in)

    return router


def inside(target: str) -> str:
    """Return the target if it is a path of this site, else the person's own page."""
    parts = urlsplit(target)
    is_inside = (
        target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    )
    return target if is_inside else "/desk/me"


def _form(web: Web, texts: Catalogue, target: Target, wrong: str | None = None, status: int = 200) -> Response:
    """Return the page; links to other languages would lose the target, so they are left out where there is one."""
    path = None if target.service else "/sign-in"
    data = program_data(texts) | {"target": {"next": target.path, "for": target.service, "nonce": target.nonce}}
    return web.page("sign_in.html", texts, path, status=status, target=target, wrong=wrong, data=data)


def _invitation_refused(web: Web, texts: Catalogue, refused: EnrolmentRefusedError) -> Response:
    status = _TOO_MANY if refused.reason == "too-many" else _WRONG
    return web.page("invitation.html", texts, "/sign-in/invitation", status=status, wrong=f"refused.{refused.reason}")


def _factors(web: Web, texts: Catalogue, invitation: Invitation, code: str, wrong: str | None) -> Response:
    uri = provisioning_uri(invitation.totp, f"{invitation.staff_id}@{web.origin.host}", _ISSUER)
    shown: dict[str, Any] = {
        "id": invitation.staff_id,
        "opened_before": invitation.opened_before,
        "invitation": code,
        "secret": _in_fours(invitation.totp),
        "uri": uri,
        "picture": Markup(segno.make(uri).svg_inline(scale=4, border=4)),  # noqa: S704  (made here, of our own text)
        "shortest": SHORTEST,
        "longest": LONGEST,
    }
    return web.page("factors.html", texts, None, status=_WRONG if wrong else 200, wrong=wrong, **shown)


def program_data(texts: Catalogue) -> JsonObject:
    """Return the data block of a page with a passkey program."""
    return {
        "lang": texts.lang,
        "now": datetime.now(UTC).isoformat(),
        "texts": texts.for_the_program(("passkey.failed",)),
    }


def _in_fours(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
