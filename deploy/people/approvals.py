"""Request and sign approvals as staff do, with passkeys, or with password and one-time code."""

from dataclasses import dataclass, field
from http import HTTPStatus

import httpx
from pyotp import TOTP

from deploy.people.enrolment import SignedInPerson
from shared.errors import KujiError
from shared.json_types import JsonObject


class ApprovalNotGivenError(KujiError):
    """Raised when the vault refuses a step; the text holds the problem's name and its advice."""


@dataclass(frozen=True)
class ApprovalRequest:
    """Content of a request. `params`: empty for the vault's own acts, which it counts and hashes itself."""

    kind: str
    campaign: str | None
    reason: str
    params: JsonObject = field(default_factory=dict)


def draft(person: SignedInPerson, request: ApprovalRequest) -> str:
    """Return the number of a new request, which its requester still signs."""
    return str(_post(person, "", vars(request))["document"]["id"])


def sign(person: SignedInPerson, approval: str) -> None:
    """Sign as requester or approver."""
    if person.passkey is None:
        answer: JsonObject = {"password": person.account.password, "code": TOTP(person.account.totp).now()}
    else:
        options = _post(person, f"/{approval}/challenge", {})
        answer = {"passkey": person.passkey.sign(options)}
    _post(person, f"/{approval}/signatures", answer)


def hand_out(person: SignedInPerson, approval: str) -> JsonObject:
    """Return the executed document, which another service takes."""
    return _post(person, f"/{approval}/document", {})


def _post(person: SignedInPerson, path: str, body: JsonObject) -> JsonObject:
    answer: httpx.Response = person.browser.request("vault", "POST", f"/v1/approvals{path}", body=body)
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        problem = answer.json()
        raise ApprovalNotGivenError(f"{problem['type']} {problem.get('detail_en') or problem.get('detail', '')}")
    content: JsonObject = answer.json()
    return content
