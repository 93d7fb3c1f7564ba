"""Where a running installation is: the endpoints of the four services, and what a rehearsal may touch."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.people.approvals import ApprovalRequest
from deploy.people.browser import ServiceAddress
from deploy.people.invented import HANDLER, RESPONSIBLE, SECOND, WARD, invent, on_duty
from deploy.people.team import Team
from shared.campaign import Campaign
from shared.errors import KujiError
from shared.json_types import JsonObject

_BEYOND: Final = 10**12
"""Number of a line that no rehearsal's audit log reaches."""


class StaffCallError(KujiError):
    """Raised when a service refuses a staff call; the text holds the problem's name and its advice."""


@dataclass(frozen=True)
class Installation:
    """A running Kuji that a rehearsal plays on. Paths are None where the rehearsal cannot look (another host).

    `paper_token_file`: for edge tools, which send faxes and scans.
    """

    campaign: Campaign
    services: Mapping[str, ServiceAddress]
    clock_file: Path
    campaigns_dir: Path
    setup_token_file: Path
    paper_token_file: Path
    mailbox: Path | None = None
    keystore: Path | None = None


class StaffClient:
    """Calls of one person who signed in; each answer is JSON, a refusal raises StaffCallError."""

    def __init__(
        self, installation: Installation, client: httpx.AsyncClient, team: Team, person: str = HANDLER
    ) -> None:
        self.at = installation
        self.team = team
        self._client, self._person = client, person
        self._root = f"/v1/campaigns/{installation.campaign.id}"

    def by(self, person: str) -> "StaffClient":
        """Return the client of another person."""
        return StaffClient(self.at, self._client, self.team, person)

    async def get(self, service: str, path: str) -> Any:
        return (await self._call("GET", service, path)).json()

    async def get_all(self, service: str, path: str, name: str) -> Any:
        """Return the member `name` of all pages together: a list, or a dictionary."""
        answer = await self.get(service, path)
        whole = answer[name]
        while answer["next"] is not None:
            answer = await self.get(service, f"{path}{'&' if '?' in path else '?'}after={answer['next']}")
            whole = whole | answer[name] if isinstance(whole, dict) else [*whole, *answer[name]]
        return whole

    async def get_bytes(self, service: str, path: str) -> bytes:
        return (await self._call("GET", service, path)).content

    async def post(self, service: str, path: str, body: JsonObject) -> Any:
        return (await self._call("POST", service, path, body)).json()

    async def approval(self, kind: str, reason: str, *approvers: str, params: JsonObject | None = None) -> str:
        """Return the number of an approval that this person requested and the others gave."""
        request = ApprovalRequest(kind, self.at.campaign.id, reason, params or {})
        return await self.team.approval(request, self._person, approvers)

    async def open_cards(self, batch: str, approver: str) -> bytes:
        """Return the PDF of a printed batch, opened with another handler's approval."""
        approval = await self.approval("print-pdf", "print", approver, params={"batch": batch})
        return (await self._call("POST", "vault", f"print-batches/{batch}/pdf", {"approval": approval})).content

    async def executed(self, approval: str) -> JsonObject:
        """Return the executed document of an approval for another service."""
        return await self.team.executed(approval, self._person)

    async def audit_log(self) -> Any:
        """Return the audit log's last checkpoint and cosignature; the lines after the last are none."""
        address = f"{self.at.services['vault'].url}/v1/audit?after={_BEYOND}"
        answer = await self._client.get(address, headers=await self.team.headers(RESPONSIBLE, "vault"))
        return answer.raise_for_status().json()

    async def signing_key(self) -> str:
        """Return the vault's public signing key, which everybody may see."""
        return await signing_key(self.at, self._client)

    async def headers(self, service: str) -> dict[str, str]:
        """Return the headers with which a program is this person at the service."""
        return await self.team.headers(self._person, service)

    async def _call(self, method: str, service: str, path: str, body: JsonObject | None = None) -> httpx.Response:
        answer = await self._send(method, service, path, body)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:  # idle for longer than a session lives
            await self.team.sign_in_again(self._person)
            answer = await self._send(method, service, path, body)
        if answer.is_error:
            raise StaffCallError(f"{method} {path}: {answer.status_code} {_problem(answer)}")
        return answer

    async def _send(self, method: str, service: str, path: str, body: JsonObject | None) -> httpx.Response:
        address = f"{self.at.services[service].url}{self._root}/{path}"
        return await self._client.request(method, address, json=body, headers=await self.headers(service))


async def make_team(installation: Installation) -> Team:
    """Make the accounts that the phases need, the real way. Raises EnrolmentError where there are accounts."""
    accounts = invent(*on_duty([installation.campaign]), (RESPONSIBLE, WARD, HANDLER, SECOND))
    return await asyncio.to_thread(Team.enrol, installation.services, installation.setup_token_file, accounts)


@asynccontextmanager
async def open_staff_client(installation: Installation, team: Team | None = None) -> AsyncIterator[StaffClient]:
    """Yield the client of a handler; people are made where there is no `team` yet."""
    team = team or await make_team(installation)
    async with httpx.AsyncClient(timeout=httpx.Timeout(60, connect=5), trust_env=False) as client:
        yield StaffClient(installation, client, team)


async def signing_key(installation: Installation, client: httpx.AsyncClient) -> str:
    """Return the vault's public signing key."""
    answer = await client.get(f"{installation.services['vault'].url}/v1/signing-key")
    return str(answer.raise_for_status().json()["public_key"])


def _problem(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return f"{problem['type']} {problem.get('detail_en') or problem.get('detail', '')}"
    except (ValueError, KeyError):
        return "without a problem document"
