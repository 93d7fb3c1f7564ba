"""Client of intake at the edge: fetches and checks the key document, and posts papers until intake answers."""

from __future__ import annotations

import json
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from deploy.edge.sealing import KeyRefusedError, SealingKey
from deploy.edge.settings import EdgeSettings
from deploy.edge.spool import SealedPaper
from shared.files import write_atomic

if TYPE_CHECKING:
    from shared.ids import Receipt

_ACCEPTED: Final = 202
_LATER: Final = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S: Final = 30.0
_TIMEOUT_S: Final = 90.0
"""For one attempt: eight mebibytes on a slow line."""


class IntakeUnavailableError(Exception):
    """Raised when intake does not answer in time. Sealed papers stay in the spool; the next run sends them."""


class PaperRefusedError(Exception):
    """Raised when intake refuses a paper: `code` is the problem's name, `advice` its advice."""

    def __init__(self, code: str, advice: str) -> None:
        super().__init__(f"{code}: {advice}")
        self.code, self.advice = code, advice


class IntakeClient:
    def __init__(self, settings: EdgeSettings) -> None:
        self._settings = settings
        self._kept_key = settings.spool / f"{settings.campaign}.key"
        staff = {"Authorization": f"Bearer {settings.token}"}
        self._http = httpx.Client(base_url=settings.intake_url, timeout=_TIMEOUT_S, headers=staff, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def key(self) -> SealingKey:
        """Return the campaign's key, checked against the pinned one; while intake is unavailable, the last one seen.

        Raises KeyRefusedError, IntakeUnavailableError.
        """
        try:
            answer = self._http.get(f"/v1/campaigns/{self._settings.campaign}/sealing-key")
            answer.raise_for_status()
        except httpx.HTTPError:
            if not self._kept_key.exists():
                raise IntakeUnavailableError("intake does not answer, and no key was fetched before") from None
            return self._checked(json.loads(self._kept_key.read_bytes()))
        key = self._checked(answer.json())
        write_atomic(self._kept_key, answer.content)
        return key

    def _checked(self, document: Any) -> SealingKey:
        if not isinstance(document, dict):
            raise KeyRefusedError("the key document is none")
        settings = self._settings
        return SealingKey.from_document(document, campaign=settings.campaign, trusted=settings.signing_key)

    def post(self, paper: SealedPaper) -> Receipt:
        """Post until intake answers. Raises PaperRefusedError, or IntakeUnavailableError after `timeout_s`."""
        ends, wait_s = time.monotonic() + self._settings.timeout_s, 0.5
        while True:
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            try:
                answer = self._http.post(f"/v1/campaigns/{paper.campaign}/papers", json=paper.body())
            except httpx.TransportError:
                pass
            else:
                if answer.status_code not in _LATER:
                    return _receipt(answer)
                wait_s = max(wait_s, _retry_after_s(answer))
            if time.monotonic() + wait_s > ends:
                raise IntakeUnavailableError("intake does not take papers just now; what is sealed waits in the spool")
            time.sleep(wait_s)


def _receipt(answer: httpx.Response) -> Receipt:
    if answer.status_code == _ACCEPTED:
        receipt: Receipt = answer.json()["receipt"]
        return receipt
    if answer.headers.get("Content-Type") != "application/problem+json":
        raise PaperRefusedError("no-problem-document", f"HTTP {answer.status_code}; is KUJI_INTAKE_URL right?")
    problem = answer.json()
    raise PaperRefusedError(
        str(problem["type"]).rpartition(":")[2], f"{problem.get('detail', '')} {problem.get('detail_en', '')}"
    )


def _retry_after_s(answer: httpx.Response) -> float:
    after = answer.headers.get("Retry-After", "")
    return min(float(after), _LONGEST_WAIT_S) if after.isdecimal() else 0.0
