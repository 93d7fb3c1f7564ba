"""An outside client of intake: fetches and checks the key, seals, posts, and keeps at it politely.

Uses the documented protocol only (`docs/protocols.md` §0, §1), so it shows what a form or another office's program
does.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypeVar

from deploy.demo.application import DemoApplication
from deploy.demo.http_connection import Answer, ConnectionPool, NoAnswerError
from deploy.demo.papers import DemoPaper
from deploy.demo.sealing import SealingKey
from shared.codes import intake_proof, proof_digest
from shared.encoding import unb64url
from shared.ids import ApplicationId, CampaignId, PaperId, Receipt
from shared.json_types import JsonObject
from shared.receipt_documents import is_receipt_of, sealed_hash

T = TypeVar("T")
R = TypeVar("R")

_OK: Final = 200
_ACCEPTED: Final = 202
_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503
_ATTEMPTS: Final = 8
_LONGEST_WAIT_S: Final = 10.0


@dataclass(frozen=True)
class SubmittedApplication:
    """An application that intake took, with its receipt documents in the order of versions."""

    application_id: ApplicationId
    documents: tuple[JsonObject, ...]

    @property
    def receipt(self) -> Receipt:
        """Receipt number."""
        return Receipt(self.documents[0]["receipt"])


class NotAcceptedError(Exception):
    """Raised when intake refuses, or is unavailable in all attempts. Holds the status and the problem's name only."""

    def __init__(self, application_id: ApplicationId | PaperId, status: int, name: str) -> None:
        super().__init__(f"application {application_id}: {status} {name}")
        self.application_id, self.status, self.name = application_id, status, name


class ReceiptRefusedError(Exception):
    """Raised when intake's answer is not its signed receipt document of what was sent."""


class ApplicantClient:
    """Posts many applications with at most `concurrency` under way.

    `trusted`: the vault's public signing key (base64url), learned by another way than from intake. `intake_key`: the
    key of receipt documents; without it intake's own word is taken, as `/v1/receipt-keys` says it. `paper_token`: for
    papers.
    """

    def __init__(
        self,
        base_url: str,
        campaign: CampaignId,
        *,
        trusted: str,
        intake_key: str | None = None,
        paper_token: str | None = None,
        concurrency: int = 64,
        timeout_s: float = 20.0,
    ) -> None:
        self._pool = ConnectionPool(base_url, concurrency, timeout_s)
        self._campaign, self._trusted, self._intake_key = campaign, trusted, intake_key
        self._paper_headers = {"Authorization": f"Bearer {paper_token}"} if paper_token else {}
        self._slots = asyncio.Semaphore(concurrency)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    async def key(self) -> SealingKey:
        """Fetch the campaign's key and check its signature. Raises KeyRefusedError, NoAnswerError."""
        document = await self._get(f"/v1/campaigns/{self._campaign}/sealing-key")
        return SealingKey.from_document(document, campaign=self._campaign, trusted=self._trusted)

    async def submit(
        self, applications: Sequence[DemoApplication], *, done: Callable[[SubmittedApplication], None] = lambda _: None
    ) -> list[SubmittedApplication]:
        """Seal and post all of them with their later versions; `done` is called as each is taken.

        Raises NotAcceptedError at the first refusal, ReceiptRefusedError.
        """
        key = await self.key()
        await self._learn_intake_key()

        async def submit(application: DemoApplication) -> SubmittedApplication:
            submitted = await self.submit_one(application, key)
            done(submitted)
            return submitted

        return await self._each(submit, applications)

    async def submit_papers(self, papers: Sequence[DemoPaper]) -> None:
        """Seal and post papers. Raises NotAcceptedError at the first refusal, ReceiptRefusedError."""
        key = await self.key()
        await self._learn_intake_key()
        await self._each(lambda paper: self._submit_paper(paper, key), papers)

    async def _each(self, work: Callable[[T], Awaitable[R]], items: Sequence[T]) -> list[R]:
        async def in_slot(item: T) -> R:
            async with self._slots:
                return await work(item)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(in_slot(item)) for item in items]
        except* (NotAcceptedError, ReceiptRefusedError) as refusals:
            raise refusals.exceptions[0] from None
        return [task.result() for task in tasks]

    async def submit_one(self, application: DemoApplication, key: SealingKey) -> SubmittedApplication:
        """Submit one application and its later versions; each is sealed once, so that repetitions have the same body.

        Raises NotAcceptedError, ReceiptRefusedError.
        """
        name, proof = application.application_id, self._proof(application)
        sealed = key.seal(name, application.plaintext)
        body = {"v": 2, "application_id": name, "key_id": key.key_id, "sealed": sealed}
        body["proof_sha256"] = proof_digest(proof)
        documents = [await self._post_sealed(f"/v1/campaigns/{self._campaign}/applications", body, name, 1)]
        for version, content in enumerate(application.later, 2):
            sealed = key.seal(name, content, version)
            body = {"v": 2, "version": version, "key_id": key.key_id, "sealed": sealed, "proof": proof}
            documents.append(await self._post_sealed(f"/v1/applications/{name}/versions", body, name, version))
        return SubmittedApplication(name, tuple(documents))

    async def _submit_paper(self, paper: DemoPaper, key: SealingKey) -> None:
        body = {
            "v": 1,
            "paper_id": paper.paper_id,
            "key_id": key.key_id,
            "channel": paper.channel,
            "serial": paper.serial,
            "received_at": paper.received_at.isoformat(),
            "sealed": key.seal_paper(paper.paper_id, paper.picture),
        }
        path, name = f"/v1/campaigns/{self._campaign}/papers", ApplicationId(paper.paper_id)
        await self._post_sealed(path, body, name, 1, self._paper_headers)

    async def _post_sealed(
        self,
        path: str,
        body: JsonObject,
        name: ApplicationId,
        version: int,
        headers: Mapping[str, str] | None = None,
    ) -> JsonObject:
        """Post and return the receipt document, checked."""
        content = json.dumps(body).encode()
        answer = await self._persist("POST", path, content, {"Content-Type": "application/json", **(headers or {})})
        if answer.status != _ACCEPTED:
            raise NotAcceptedError(name, answer.status, _problem_name(answer))
        document: JsonObject = json.loads(answer.body)
        stated = (document["campaign"], document["application_id"], document["version"], document["sealed_sha256"])
        sent = (self._campaign, name, version, sealed_hash(unb64url(body["sealed"])))
        if stated != sent or not is_receipt_of(self._intake_key or "", document):
            raise ReceiptRefusedError(f"the receipt document of {name}, version {version}, is not intake's")
        return document

    async def status(self, application_id: ApplicationId) -> JsonObject | None:
        """Return the status document of the applicant; None where intake does not know the application."""
        answer = await self._persist("GET", f"/v1/applications/{application_id}")
        if answer.status == _NOT_FOUND:
            return None
        return _read(answer)

    def _proof(self, application: DemoApplication) -> str:
        if application.code is None:
            raise ValueError("an application that was keyed from paper is sent by nobody")
        return intake_proof(self._campaign, application.application_id, application.code)

    async def _learn_intake_key(self) -> None:
        if self._intake_key is None:
            keys = (await self._get("/v1/receipt-keys"))["keys"]
            self._intake_key = next(key["public_key"] for key in keys if key["state"] == "active")

    async def _get(self, path: str) -> JsonObject:
        return _read(await self._persist("GET", path))

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


def _read(answer: Answer) -> JsonObject:
    if answer.status != _OK:
        raise NoAnswerError(f"no answer: {answer.status} {_problem_name(answer)}")
    document: JsonObject = json.loads(answer.body)
    return document


def _seconds(retry_after: bytes | None) -> float:
    return float(retry_after) if retry_after is not None and retry_after.isdigit() else 1.0


def _problem_name(answer: Answer) -> str:
    if answer.header(b"content-type") != b"application/problem+json":
        return "no-problem-document"
    return str(json.loads(answer.body).get("type", "")).rpartition(":")[2]
