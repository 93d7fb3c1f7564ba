"""An outside client of intake: fetches and checks the key, seals, posts, and keeps at it politely.

Uses the documented protocol only (`docs/protocols.md` §1), so it shows what a form or another office's program does.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from deploy.demo.http_connection import Answer, ConnectionPool, NoAnswerError
from deploy.demo.people import DemoApplication
from deploy.demo.sealing import SealingKey
from shared.ids import ApplicationId, CampaignId, Receipt
from shared.json_types import JsonObject

_OK: Final = 200
_ACCEPTED: Final = 202
_NOT_FOUND: Final = 404
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
    `staff`: headers of a signed-in handler, needed for paper that staff key in (fax, post).
    """

    def __init__(
        self,
        base_url: str,
        campaign: CampaignId,
        *,
        trusted: str,
        staff: Mapping[str, str] | None = None,
        concurrency: int = 64,
        timeout_s: float = 20.0,
    ) -> None:
        self._pool = ConnectionPool(base_url, concurrency, timeout_s)
        self._campaign, self._trusted = campaign, trusted
        self._staff = {name: value for name, value in (staff or {}).items() if name != "Host"}
        self._slots = asyncio.Semaphore(concurrency)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    async def key(self) -> SealingKey:
        """Fetch the campaign's key and check its signature. Raises KeyRefusedError, NoAnswerError."""
        answer = await self._persist("GET", f"/v1/campaigns/{self._campaign}/sealing-key")
        if answer.status != _OK:
            raise NoAnswerError(f"no sealing key: {answer.status} {_problem_name(answer)}")
        return SealingKey.from_document(json.loads(answer.body), campaign=self._campaign, trusted=self._trusted)

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
        path, paper = f"/v1/campaigns/{self._campaign}/applications", application.channel != "web"
        answer = await self._persist(
            "POST",
            f"{path}?channel={application.channel}" if paper else path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", **(self._staff if paper else {})},
        )
        if answer.status != _ACCEPTED:
            raise NotAcceptedError(application.application_id, answer.status, _problem_name(answer))
        return SubmittedApplication(application.application_id, Receipt(json.loads(answer.body)["receipt"]))

    async def status(self, application_id: ApplicationId) -> JsonObject | None:
        """Return the status document of the applicant; None where intake does not know the application."""
        answer = await self._persist("GET", f"/v1/applications/{application_id}")
        if answer.status == _NOT_FOUND:
            return None
        if answer.status != _OK:
            raise NoAnswerError(f"no status: {answer.status} {_problem_name(answer)}")
        shown: JsonObject = json.loads(answer.body)
        return shown

    async def _persist(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Repeat while the answer is 503, waiting as `Retry-After` says, for at most 8 attempts."""
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                answer = await self._pool.request(method, path, body, headers or {})
            except NoAnswerError:
                if last:
                    raise
                wait_s = float(attempt)
            else:
                if answer.status != _UNAVAILABLE or last:
                    return answer
                wait_s = _seconds(answer.header(b"retry-after"))
            await asyncio.sleep(min(wait_s, _LONGEST_WAIT_S))
        raise AssertionError("the last attempt returns or raises")


def _seconds(retry_after: bytes | None) -> float:
    return float(retry_after) if retry_after is not None and retry_after.isdigit() else 1.0


def _problem_name(answer: Answer) -> str:
    if answer.header(b"content-type") != b"application/problem+json":
        return "no-problem-document"
    return str(json.loads(answer.body).get("type", "")).rpartition(":")[2]
