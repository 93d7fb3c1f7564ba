"""Access of staff to one service: who is there, what they may do, and the way to the vault's sign-in page and back."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote, unquote, urlencode, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from shared.encoding import b64url
from shared.files import create_once
from shared.logging import get_logger
from shared.pinned_keys import PinnedKeys
from shared.staff_roles import Right
from shared.storage import Store
from shared.web.pages import page_headers
from shared.web.problems import ProblemError, problem
from shared.web.sign_in.assertion import SignInRefusedError, read_assertion
from shared.web.sign_in.nonce import LIFE, is_fresh, make_nonce
from shared.web.sign_in.origins import Origin, parse_origins, require_own_page
from shared.web.sign_in.session_repository import ServiceSessionRepository
from shared.web.sign_in.staff import SAFE_METHODS, Staff, StaffGuard, guard_by, signed_out

SESSION: Final = "kuji-session"
BROWSER: Final = "kuji-sign-in"

_log = get_logger(__name__)


class StaffAccess:
    """One per process of a service. Without origins no person signs in, and every staff call is refused."""

    def __init__(
        self,
        service: str,
        sessions: ServiceSessionRepository,
        origins: Mapping[str, Origin],
        *,
        vault_key_file: Path | None,
        nonce_key: bytes,
    ) -> None:
        self._service, self.sessions, self._origins = service, sessions, origins
        self._pinned, self._nonce_key = PinnedKeys(vault_key_file), nonce_key

    @classmethod
    def make(
        cls,
        service: str,
        store: Store,
        origins: Mapping[str, str],
        *,
        vault_key_file: Path | None,
        state_dir: Path,
    ) -> Self:
        """Return the access of a service. Raises ConfigurationError where it shares its host name with another."""
        parsed = parse_origins(origins, service) if origins else {}
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = create_once(state_dir / "sign-in.key", lambda: secrets.token_bytes(32))
        return cls(
            service,
            ServiceSessionRepository(store),
            parsed,
            vault_key_file=vault_key_file,
            nonce_key=key,
        )

    async def staff(self, request: Request, right: Right) -> Staff | None:
        """Return the signed-in person for a page; None where it should lead to the sign-in. Raises 403."""
        person = await self._person(request)
        return None if person is None else person.require(right)

    def guard(self, read: Right, change: Right | None = None) -> StaffGuard:
        """Build a FastAPI dependency that asks for `read`, and for `change` where the method changes something."""
        return guard_by(self.admit, read, change)

    async def admit(self, request: Request) -> Staff:
        """Return the person, whatever the roles. Raises 401, and 403 for a change that another site sends."""
        person = await self._person(request)
        if person is None:
            raise signed_out()
        if request.method not in SAFE_METHODS:
            require_own_page(self._own, request)
        return person

    def to_sign_in(self, request: Request, target: str | None = None) -> Response:
        """Redirect to the vault's sign-in page, and back to this page afterwards.

        Raises 401 for a page's program, which cannot follow a redirect to another origin.
        """
        if not self._origins:
            raise _not_set_up()
        if request.headers.get("sec-fetch-dest") == "empty":
            raise signed_out()
        target = target or request.url.path
        if request.headers.get("host") != self._own.netloc:
            return _redirect(f"{self._own.text}{target}")
        browser = f"{b64url(secrets.token_bytes(32))}.{quote(target, safe='/')}"
        query = {"for": self._service, "nonce": make_nonce(self._nonce_key, browser, _now())}
        answer = _redirect(f"{self._origins['vault'].text}/sign-in?{urlencode(query)}")
        self._set_cookie(answer, BROWSER, browser, int(LIFE.total_seconds()))
        return answer

    @property
    def vault_address(self) -> str:
        """Address of the vault's staff pages; empty where no person signs in."""
        return self._origins["vault"].text if self._origins else ""

    def router(self) -> APIRouter:
        """Return the routes that the vault's sign-in page leads to, and the one for signing out."""
        router = APIRouter(include_in_schema=False)

        @router.get("/sign-in", response_model=None)
        async def sign_in(request: Request, next: str = "/") -> Response:  # noqa: A002  (the query's name)
            return self.to_sign_in(request, _inside(next))

        @router.get("/signed-in", response_model=None)
        async def signed_in(request: Request, assertion: str = "") -> Response:
            return await self._signed_in(request, assertion)

        @router.post("/sign-out", response_model=None)
        async def sign_out(request: Request) -> Response:
            require_own_page(self._own, request)
            await self.sessions.end(request.cookies.get(self._own.cookie(SESSION), ""))
            answer = _redirect("/signed-out")
            answer.delete_cookie(self._own.cookie(SESSION), httponly=True, samesite="lax", secure=self._own.is_secure)
            return answer

        return router

    async def _signed_in(self, request: Request, assertion: str) -> Response:
        """Start a session for a valid assertion that this browser asked for, once."""
        browser = request.cookies.get(self._own.cookie(BROWSER), "")
        try:
            secret = await self._start(assertion, browser)
        except SignInRefusedError as refused:
            _log.warning("sign-in-refused", reason=str(refused))
            raise _refused() from None
        answer = _redirect(_inside(unquote(browser.partition(".")[2])))
        self._set_cookie(answer, SESSION, secret, None)
        answer.delete_cookie(self._own.cookie(BROWSER), httponly=True, samesite="lax", secure=self._own.is_secure)
        return answer

    async def _start(self, text: str, browser: str) -> str:
        """Return the secret of a new session. Raises SignInRefusedError."""
        assertion = read_assertion(text, audience=self._service, public_keys=self._vault_keys(), now=_now())
        if not browser or not is_fresh(self._nonce_key, browser, assertion.nonce, _now()):
            raise SignInRefusedError("other-browser")
        if not await self.sessions.take_nonce(assertion.nonce):
            raise SignInRefusedError("used-before")
        secret = await self.sessions.start(assertion)
        if secret is None:
            raise SignInRefusedError("not-admitted")
        return secret

    async def _person(self, request: Request) -> Staff | None:
        secret = request.cookies.get(self._own.cookie(SESSION)) if self._origins else None
        session = await self.sessions.find(secret) if secret else None
        return None if session is None else Staff(session.sub, session.roles, session.sid)

    @property
    def _own(self) -> Origin:
        if not self._origins:
            raise _not_set_up()
        return self._origins[self._service]

    def _vault_keys(self) -> tuple[str, ...]:
        """Return the vault's public keys, which came by another way. Raises ProblemError without them."""
        pinned = self._pinned.all()
        if not pinned:
            raise _not_set_up()
        return pinned

    def _set_cookie(self, answer: Response, name: str, value: str, max_age_s: int | None) -> None:
        """Set a cookie for this host only. `lax`: the browser comes here by the vault's redirect."""
        answer.set_cookie(
            self._own.cookie(name), value, max_age=max_age_s, httponly=True, samesite="lax", secure=self._own.is_secure
        )


def _inside(target: str) -> str:
    """Return the target if it is a path of this site, else `/`."""
    parts = urlsplit(target)
    is_path = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if is_path and not parts.netloc and not parts.scheme else "/"


def _redirect(address: str) -> Response:
    """Redirect without a referrer: the address that is left may hold an assertion."""
    return RedirectResponse(address, 303, {**page_headers(), "Referrer-Policy": "no-referrer"})


def _now() -> datetime:
    return datetime.now(UTC)


def _refused() -> ProblemError:
    return problem(
        "sign-in-refused",
        403,
        "サインインできませんでした",
        "担当者の画面を開き直して、もう一度サインインしてください。",
        en="This sign-in was not for this browser, was used before, or is too old; open the staff page again.",
        headers={"Referrer-Policy": "no-referrer"},
    )


def _not_set_up() -> ProblemError:
    return problem(
        "no-sign-in",
        503,
        "サインインの用意ができていません",
        "この装置を用意した人に連絡してください。",
        en="KUJI_ORIGINS and KUJI_VAULT_KEY_FILE are not set up; see docs/operations.md.",
    )
