"""Where a running installation is: the doors of the four services, and what a rehearsal may touch."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from shared.campaign import Campaign
from shared.errors import KujiError


class OfficeError(KujiError):
    """A service refused a staff call; the text holds the problem's name and what it says to do."""


@dataclass(frozen=True)
class Door:
    """One service over HTTP: its address, and the staff token for the calls that need it."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Installation:
    """A running Kuji that a rehearsal plays on. Paths are None where the rehearsal cannot look (another host)."""

    campaign: Campaign
    intake: Door
    lottery: Door
    notifier: Door
    vault: Door
    clock_file: Path
    mailbox: Path | None = None
    keystore: Path | None = None


class Office:
    """What staff do, as calls: every answer is JSON; a refusal raises OfficeError."""

    def __init__(self, installation: Installation, client: httpx.AsyncClient) -> None:
        self.at = installation
        self._client = client
        self._root = f"/v1/campaigns/{installation.campaign.id}"

    async def get(self, door: Door, path: str) -> Any:
        return (await self._call("GET", door, path)).json()

    async def get_bytes(self, door: Door, path: str) -> bytes:
        return (await self._call("GET", door, path)).content

    async def post(self, door: Door, path: str, body: dict[str, Any]) -> Any:
        return (await self._call("POST", door, path, body)).json()

    async def get_root(self, door: Door, path: str) -> Any:
        """A call that is not about one campaign."""
        answer = await self._client.get(f"{door.url}/v1/{path}", headers=_authorization(door))
        if answer.is_error:
            raise OfficeError(f"GET {path}: {answer.status_code} {_problem(answer)}")
        return answer.json()

    async def status_of(self, door: Door, path: str) -> int:
        """Only the status code: for asking what must no longer be there."""
        answer = await self._client.get(self._url(door, path), headers=_authorization(door))
        return answer.status_code

    async def _call(self, method: str, door: Door, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        answer = await self._client.request(method, self._url(door, path), json=body, headers=_authorization(door))
        if answer.is_error:
            raise OfficeError(f"{method} {path}: {answer.status_code} {_problem(answer)}")
        return answer

    def _url(self, door: Door, path: str) -> str:
        return f"{door.url}{self._root}/{path}"


@asynccontextmanager
async def office(installation: Installation) -> AsyncIterator[Office]:
    async with httpx.AsyncClient(timeout=httpx.Timeout(60, connect=5)) as client:
        yield Office(installation, client)


def _authorization(door: Door) -> dict[str, str]:
    return {"Authorization": f"Bearer {door.token}"}


def _problem(answer: httpx.Response) -> str:
    try:
        told = answer.json()
        return f"{told['type']} {told.get('detail_en') or told.get('detail', '')}"
    except (ValueError, KeyError):
        return "without a problem document"
