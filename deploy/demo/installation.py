"""Where a running installation is: the endpoints of the four services, and what a rehearsal may touch."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from shared.campaign import Campaign
from shared.errors import KujiError
from shared.json_types import JsonObject


class StaffCallError(KujiError):
    """Raised when a service refuses a staff call; the text holds the problem's name and its advice."""


@dataclass(frozen=True)
class ServiceEndpoint:
    """One service over HTTP: its address, and the staff token for the calls that need it."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Installation:
    """A running Kuji that a rehearsal plays on. Paths are None where the rehearsal cannot look (another host).

    `paper_token`: for edge tools, which send faxes and scans.
    """

    campaign: Campaign
    intake: ServiceEndpoint
    lottery: ServiceEndpoint
    notifier: ServiceEndpoint
    vault: ServiceEndpoint
    clock_file: Path
    paper_token: str = field(repr=False)
    mailbox: Path | None = None
    keystore: Path | None = None


class StaffClient:
    """Calls that staff make; each answer is JSON, a refusal raises StaffCallError."""

    def __init__(self, installation: Installation, client: httpx.AsyncClient) -> None:
        self.at = installation
        self._client = client
        self._root = f"/v1/campaigns/{installation.campaign.id}"

    async def get(self, endpoint: ServiceEndpoint, path: str) -> Any:
        return (await self._call("GET", endpoint, path)).json()

    async def get_bytes(self, endpoint: ServiceEndpoint, path: str) -> bytes:
        return (await self._call("GET", endpoint, path)).content

    async def post(self, endpoint: ServiceEndpoint, path: str, body: JsonObject) -> Any:
        return (await self._call("POST", endpoint, path, body)).json()

    async def get_root(self, endpoint: ServiceEndpoint, path: str) -> Any:
        """Get what does not belong to a campaign."""
        answer = await self._client.get(f"{endpoint.url}/v1/{path}", headers=_authorization(endpoint))
        if answer.is_error:
            raise StaffCallError(f"GET {path}: {answer.status_code} {_problem(answer)}")
        return answer.json()

    async def status_of(self, endpoint: ServiceEndpoint, path: str) -> int:
        """Return only the status code, to check that something is gone."""
        answer = await self._client.get(self._url(endpoint, path), headers=_authorization(endpoint))
        return answer.status_code

    async def _call(
        self, method: str, endpoint: ServiceEndpoint, path: str, body: JsonObject | None = None
    ) -> httpx.Response:
        answer = await self._client.request(
            method, self._url(endpoint, path), json=body, headers=_authorization(endpoint)
        )
        if answer.is_error:
            raise StaffCallError(f"{method} {path}: {answer.status_code} {_problem(answer)}")
        return answer

    def _url(self, endpoint: ServiceEndpoint, path: str) -> str:
        return f"{endpoint.url}{self._root}/{path}"


@asynccontextmanager
async def open_staff_client(installation: Installation) -> AsyncIterator[StaffClient]:
    async with httpx.AsyncClient(timeout=httpx.Timeout(60, connect=5)) as client:
        yield StaffClient(installation, client)


def _authorization(endpoint: ServiceEndpoint) -> dict[str, str]:
    return {"Authorization": f"Bearer {endpoint.token}"}


def _problem(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return f"{problem['type']} {problem.get('detail_en') or problem.get('detail', '')}"
    except (ValueError, KeyError):
        return "without a problem document"
