"""Common parts of the pages: the signed-in person, the cookies, the renderer and its headers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.vault.people.access import SESSION
from services.vault.people.pages import DIST, TEMPLATES, TEXTS
from services.vault.people.parts import People
from services.vault.people.rules.account import Account
from services.vault.people.sign_in import Present, SignedIn
from shared import dates
from shared.catalogue import Catalogue
from shared.signing import SigningKey
from shared.staff_roles import Right, may
from shared.web.client_address import group_address
from shared.web.pages import Assets, Renderer, catalogues_with, page_headers
from shared.web.problems import ProblemError, problem
from shared.web.sign_in.assertion import Assertion, write_assertion
from shared.web.sign_in.origins import Origin, parse_origins, require_own_page

DEVICE: Final = "kuji-device"
_DEVICE_S: Final = 180 * 24 * 3600

CountWaiting = Callable[[Account], Awaitable[int]]


@dataclass(frozen=True)
class Web:
    """Pages of one vault process. `others`: origins of the services for which people sign in here.

    `count_waiting` counts the approvals that wait for a person. `is_alone`: the listener without the desk.
    """

    people: People
    renderer: Renderer
    origin: Origin
    others: Mapping[str, Origin]
    signing: SigningKey
    count_waiting: CountWaiting
    is_alone: bool = False

    @classmethod
    def make(
        cls,
        people: People,
        origins: Mapping[str, str],
        signing: SigningKey,
        count_waiting: CountWaiting,
        *,
        templates: Sequence[Path] = (),
        texts: Sequence[Path] = (),
    ) -> Self:
        """Raise ConfigurationError for unsafe origins, or where the pages have not been bundled."""
        parsed = parse_origins(origins, "vault")
        others = {service: origin for service, origin in parsed.items() if service != "vault"}
        renderer = Renderer(TEMPLATES, Assets.load(DIST), catalogues_with(TEXTS, *texts), more=templates)
        return cls(people, renderer, parsed["vault"], others, signing, count_waiting)

    @property
    def headers(self) -> dict[str, str]:
        """Headers of a page with forms, whose answers may lead to another service's pages."""
        return page_headers(forms=True, form_targets=[origin.text for origin in self.others.values()])

    def page(
        self,
        template: str,
        texts: Catalogue,
        path: str | None,
        *,
        status: int = 200,
        connect: Sequence[str] = (),
        **shown: Any,
    ) -> Response:
        """Render a page. `connect`: origins of other services that its program calls."""
        targets = [origin.text for origin in self.others.values()]
        headers = page_headers(forms=True, form_targets=targets, connect=connect) if connect else self.headers
        values = {"dates": dates, "may": may, "Right": Right, "is_alone": self.is_alone, **shown}
        return self.renderer.page(template, texts, path, status=status, headers=headers, **values)

    async def present(self, request: Request) -> Present | None:
        """Return the person who signed in with this browser, or None."""
        present = await self.people.sign_in.present(request.cookies.get(self.origin.cookie(SESSION)))
        return None if present is None else replace(present, waiting=await self.count_waiting(present.account))

    async def shown_to(
        self, request: Request, texts: Catalogue, show: Callable[[Present], Awaitable[Response]], *rights: Right
    ) -> Response:
        """Return the page that `show` makes for the signed-in person, or the way to the sign-in.

        A person without one of the `rights` gets the page that says so (403).
        """
        present = await self.present(request)
        if present is None:
            return self.to_sign_in(texts, request)
        if not all(may(present.account.roles, right) for right in rights):
            return self.page("no_right.html", texts, None, status=403, present=present)
        return await show(present)

    async def require(self, request: Request) -> Present:
        """Return the signed-in person for a change. Raises ProblemError: 401 without one, 403 from another site."""
        require_own_page(self.origin, request)
        present = await self.present(request)
        if present is None:
            raise signed_out()
        return present

    async def require_fresh(self, request: Request, longest_s: int) -> Present:
        """Return the person for a change of factors. Raises 403 where the sign-in is longer ago than `longest_s`."""
        present = await self.require(request)
        if (datetime.now(UTC) - present.session.auth_time).total_seconds() > longest_s:
            raise problem(
                "sign-in-again",
                403,
                "もう一度サインインしてください",
                "サインアウトしてからサインインし直し、続けて変更してください。",
                en="Factors are changed soon after a sign-in: sign out, sign in, and try again.",
            )
        return present

    async def end_earlier_session(self, request: Request) -> None:
        """End the session that this browser had before a new sign-in (OWASP ASVS 5, 7.2.4)."""
        session = await self.people.sessions.find(request.cookies.get(self.origin.cookie(SESSION), ""))
        if session is not None:
            await self.people.session_ends.end_one(session.staff_id, session.sid)

    def device(self, request: Request) -> str | None:
        """Return the cookie that a browser keeps after a sign-in."""
        return request.cookies.get(self.origin.cookie(DEVICE))

    def with_session(self, answer: Response, signed_in: SignedIn) -> Response:
        """Set the cookies of a new session; its id was never known before the sign-in."""
        self.with_session_cookie(answer, signed_in.secret)
        self._set_cookie(answer, DEVICE, signed_in.device, _DEVICE_S)
        return answer

    def with_session_cookie(self, answer: Response, secret: str) -> Response:
        """Set the session's cookie only."""
        self._set_cookie(answer, SESSION, secret, None)
        return answer

    def without_session(self, answer: Response) -> Response:
        """Delete the session's cookie."""
        secure = self.origin.is_secure
        answer.delete_cookie(self.origin.cookie(SESSION), httponly=True, samesite="lax", secure=secure)
        return answer

    def assertion_address(self, present: Present, service: str, nonce: str) -> str:
        """Return the address at which `service` learns who signed in (docs/protocols.md §8)."""
        account, session = present.account, present.session
        assertion = Assertion(
            service, account.id, account.roles, session.auth_time, session.method, nonce, session.sid, session.until
        )
        return f"{self.others[service].text}/signed-in?assertion={write_assertion(self.signing, assertion)}"

    def to(self, path: str) -> Response:
        """Redirect within the vault, or to a full address."""
        return RedirectResponse(path, 303, {**self.headers, "Referrer-Policy": "no-referrer"})

    def to_sign_in(self, texts: Catalogue, request: Request) -> Response:
        """Redirect to the sign-in page, and back afterwards to the same page with its query."""
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return self.to(f"{texts.prefix}/sign-in?{urlencode({'next': wanted})}")

    def _set_cookie(self, answer: Response, name: str, value: str, max_age_s: int | None) -> None:
        """Set a cookie for this host only. `lax`: other services lead people here by a link."""
        answer.set_cookie(
            self.origin.cookie(name),
            value,
            max_age=max_age_s,
            httponly=True,
            samesite="lax",
            secure=self.origin.is_secure,
        )


def address_of(request: Request) -> str:
    """Return the client's address, for limits only; of an IPv6 address the /64, all of which one connection has."""
    return group_address(request.client.host) if request.client else "unknown"


def signed_out() -> ProblemError:
    """Return the answer to a change without a session."""
    return problem(
        "unauthorized",
        401,
        "サインインが必要です",
        "サインインの画面を開いてください。",
        en="Sign in at /sign-in and try again.",
    )
