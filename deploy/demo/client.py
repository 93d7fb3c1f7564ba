"""An outside client of intake: fetches and checks the key, seals, posts, and keeps at it politely.

Uses the documented protocol only (`docs/protocols.md` §1), so it shows what a form or another office's program does.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import httpx

from deploy.demo.people import DemoApplication
from deploy.demo.sealing import SealingKey
from shared.ids import ApplicationId, CampaignId, Receipt
from shared.json_types import JsonObject

_ACCEPTED: Final = 202
_UNAVAILABLE: Final = 503
_ATTEMPTS: Final = 8
_LONGEST_WAIT_S: Final = 10.0


@dataclass(frozen=True)
class SubmittedApplication:
    """An application that intake took, and the number it gave."""

    application_id: ApplicationId
    receipt: Receipt


class NotAcceptedError(Exception):
    """Raised when intake refuses, or is unavailable in all attempts. Holds the status and the problem's name only."""

    def __init__(self, application_id: ApplicationId, status: int, name: str) -> None:
        super().__init__(f"application {application_id}: {status} {name}")
        self.application_id, self.status, self.name = application_id, status, name


class ApplicantClient:
    """Posts many applications with at most `concurrency` under way.

    `trusted`: the vault's public signing key (base64url), learned by another way than from intake.
    `ops_token`: needed for paper that staff key in (fax, post).
    """

    def __init__(
        self,
        base_url: str,
        campaign: CampaignId,
        *,
        trusted: str,
        ops_token: str | None = None,
        concurrency: int = 32,
        timeout_s: float = 20.0,
    ) -> None:
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        self._http = httpx.AsyncClient(base_url=base_url, timeout=timeout_s, limits=limits, trust_env=False)
        self._campaign, self._trusted = campaign, trusted
        self._staff = {"Authorization": f"Bearer {ops_token}"} if ops_token else {}
        self._slots = asyncio.Semaphore(concurrency)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def key(self) -> SealingKey:
        """Fetch the campaign's key and check its signature. Raises KeyRefusedError, httpx.HTTPError."""
        answer = await self._persist("GET", f"/v1/campaigns/{self._campaign}/sealing-key")
        answer.raise_for_status()
        return SealingKey.from_document(answer.json(), campaign=self._campaign, trusted=self._trusted)

    async def submit(
        self, applications: Sequence[DemoApplication], *, done: Callable[[SubmittedApplication], None] = lambda _: None
    ) -> list[SubmittedApplication]:
        """Seal and post all of them; `done` is called as each is taken. Raises NotAcceptedError at the first refusal.

        Second applications of the same person are sent when all first ones are in, as they come in life.
        """
        key = await self.key()
        first = [each for each in applications if each.twin is None]
        again = [each for each in applications if each.twin is not None]
        return [*await self._wave(first, key, done), *await self._wave(again, key, done)]

    async def _wave(
        self, applications: Sequence[DemoApplication], key: SealingKey, done: Callable[[SubmittedApplication], None]
    ) -> list[SubmittedApplication]:
        async def one(application: DemoApplication) -> SubmittedApplication:
            async with self._slots:
                receipted = await self.submit_one(application, key)
            done(receipted)
            return receipted

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(application)) for application in applications]
        except* NotAcceptedError as refusals:
            raise refusals.exceptions[0] from None
        return [task.result() for task in tasks]

    async def submit_one(self, application: DemoApplication, key: SealingKey) -> SubmittedApplication:
        """Submit one application; sealed once, so that each repetition has the same body. Raises NotAcceptedError."""
        body = {
            "v": 1,
            "application_id": application.application_id,
            "key_id": key.key_id,
            "sealed": key.seal(application.application_id, application.plaintext),
        }
        paper = application.channel != "web"
        answer = await self._persist(
            "POST",
            f"/v1/campaigns/{self._campaign}/applications",
            json=body,
            params={"channel": application.channel} if paper else None,
            headers=self._staff if paper else None,
        )
        if answer.status_code != _ACCEPTED:
            raise NotAcceptedError(application.application_id, answer.status_code, _problem_name(answer))
        return SubmittedApplication(application.application_id, Receipt(answer.json()["receipt"]))

    async def status(self, application_id: ApplicationId) -> JsonObject | None:
        """Return the status document of the applicant; None where intake does not know the application."""
        answer = await self._persist("GET", f"/v1/applications/{application_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        answer.raise_for_status()
        shown: JsonObject = answer.json()
        return shown

    async def _persist(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Repeat while the answer is 503, waiting as `Retry-After` says, for at most 8 attempts."""
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                answer = await self._http.request(method, path, **request)
            except httpx.TransportError:
                if last:
                    raise
                wait_s = float(attempt)
            else:
                if answer.status_code != _UNAVAILABLE or last:
                    return answer
                wait_s = _seconds(answer.headers.get("Retry-After"))
            await asyncio.sleep(min(wait_s, _LONGEST_WAIT_S))
        raise AssertionError("the last attempt returns or raises")


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else 1.0


def _problem_name(answer: httpx.Response) -> str:
    if answer.headers.get("Content-Type") != "application/problem+json":
        return "no-problem-document"
    return str(answer.json().get("type", "")).rpartition(":")[2]
