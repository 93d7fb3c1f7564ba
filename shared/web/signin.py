"""Signing in to staff pages: the handler's id and the service's staff secret, then a session of a working day.

The seam for named accounts (R-S3): pages and endpoints ask `staff_only` who is there, and nothing else knows how that
was found out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from shared.json_types import JsonObject
from shared.web.attempts import AttemptLimit
from shared.web.forms import form_fields
from shared.web.pages import Renderer, page_headers
from shared.web.problems import problem
from shared.web.sessions import COOKIE, LIFE, Session, is_actor, read_session, write_session
from shared.web.staff_token import has_staff_token, secret_of

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ATTEMPTS: Final = 10
"""Failed sign-ins of all callers together within the window: guessing the secret is slow from any address."""
_WINDOW_S: Final = 60


@dataclass(frozen=True)
class Staff:
    """Staff caller. `actor` is None for a program that shows the staff token: its requests name the actor."""

    actor: str | None

    def acting_as(self, named: str) -> str:
        """Return the name to record. Raises 403 where a signed-in person names another actor."""
        if self.actor is not None and self.actor != named:
            raise problem(
                "another-actor",
                403,
                "ほかの担当者の名前では実行できません",
                "自分の担当者IDで実行してください。",
                en="Act under the id you signed in with.",
            )
        return named


StaffGuard = Callable[[Request], Staff]


def staff_only(token_file: Path | None) -> StaffGuard:
    """Build a FastAPI dependency that requires the staff token or a session; 401 otherwise.

    What a session changes must come from our own pages: another site's form or script is 403 (RFC 6454 origin).
    """

    def guard(request: Request) -> Staff:
        if has_staff_token(token_file, request.headers.get("authorization")):
            return Staff(None)
        session = _session(token_file, request)
        if session is None:
            raise problem(
                "unauthorized",
                401,
                "サインインが必要です",
                "担当者の画面からサインインしてください。",
                en="Sign in at /sign-in, or send the staff token as `Authorization: Bearer …`.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if request.method not in _SAFE and not _from_here(request):
            raise problem("foreign-origin", 403, "この画面からは実行できません", "担当者の画面を開き直してください。")
        return Staff(session.actor)

    return guard


def signed_in(token_file: Path | None, request: Request) -> Staff | None:
    """Return the signed-in staff member; None where a page should lead to the sign-in page."""
    session = _session(token_file, request)
    return None if session is None else Staff(session.actor)


def to_sign_in(request: Request) -> Response:
    """Redirect to the sign-in page, and back to this page afterwards."""
    return RedirectResponse(f"/sign-in?next={request.url.path}", 303, page_headers(forms=True))


def signin_router(renderer: Renderer, token_file: Path | None) -> APIRouter:
    """`/sign-in` and `/sign-out`. The renderer's texts must hold the frame's (`catalogues_with`)."""
    router = APIRouter(include_in_schema=False)
    failures = AttemptLimit(_ATTEMPTS, _WINDOW_S)

    @router.get("/sign-in", response_model=None)
    async def ask(next: str = "/") -> Response:  # noqa: A002  (the query's name)
        return _form(renderer, _inside(next))

    @router.post("/sign-in", response_model=None)
    async def sign_in(request: Request, sent: Annotated[dict[str, str], Depends(form_fields)]) -> Response:
        _own_page(request)
        target, actor = _inside(sent.get("next", "/")), sent.get("actor", "")
        if not await failures.allows():
            return _form(renderer, target, "signin.too-many", 429)
        if not is_actor(actor) or not has_staff_token(token_file, f"Bearer {sent.get('secret', '')}"):
            await failures.record_failure()
            return _form(renderer, target, "signin.wrong", 401)
        answer = RedirectResponse(target, 303, page_headers(forms=True))
        value = write_session(secret_of(token_file) or "", Session(actor, datetime.now(UTC) + LIFE))
        answer.set_cookie(
            COOKIE, value, max_age=int(LIFE.total_seconds()), httponly=True, samesite="strict", secure=_tls(request)
        )
        return answer

    @router.post("/sign-out", response_model=None)
    async def sign_out(request: Request) -> Response:
        _own_page(request)
        answer = RedirectResponse("/sign-in", 303, page_headers(forms=True))
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=_tls(request))
        return answer

    return router


def _form(renderer: Renderer, target: str, wrong: str | None = None, status: int = 200) -> Response:
    shown: JsonObject = {"next": target, "wrong": wrong}
    japanese = renderer.catalogues[0]
    return renderer.page("_signin.html", japanese, None, status=status, headers=page_headers(forms=True), **shown)


def _session(token_file: Path | None, request: Request) -> Session | None:
    cookie, secret = request.cookies.get(COOKIE), secret_of(token_file)
    return read_session(secret, cookie, datetime.now(UTC)) if cookie and secret else None


def _inside(target: str) -> str:
    """Return the target if it is a path of this site, else `/`."""
    parts = urlsplit(target)
    inside = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return target if inside else "/"


def _from_here(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def _own_page(request: Request) -> None:
    """Refuse forms of other sites, which must not sign a person in or out."""
    if not _from_here(request):
        raise problem("foreign-origin", 403, "この画面からは実行できません", "サインインの画面を開き直してください。")


def _tls(request: Request) -> bool:
    return request.url.scheme == "https"
