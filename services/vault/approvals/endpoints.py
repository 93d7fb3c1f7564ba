"""Answer programs about approvals: the pages' own program, and the command line of a signed-in person."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.vault.approvals.factors import Factor, PasskeyFactor, PasswordFactor
from services.vault.approvals.problems import request_problem
from services.vault.approvals.rules.approval import Approval
from services.vault.approvals.service import Approvals, RequestRefusedError
from services.vault.approvals.views import ApprovalView
from services.vault.people.pages.context import Web, address_of
from services.vault.people.refusals import SignInRefusedError
from services.vault.people.sign_in import Present
from shared.approvals import ApprovalId, ApprovalKind
from shared.approvals.document import APPROVAL_ID
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.web.problems import ProblemError, problem

IdField = Annotated[str, StringConstraints(pattern=APPROVAL_ID)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,40}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class RequestBody(_Body):
    """Request of an approval. `params`: of the kind; the vault fills in hashes and counts of its own acts."""

    kind: ApprovalKind
    campaign: Annotated[str, StringConstraints(max_length=64)] | None
    params: JsonObject = {}
    reason: Code


class SignatureBody(_Body):
    """Either the answer of a passkey, or password and one-time code."""

    passkey: JsonObject | None = None
    password: Annotated[str, Field(max_length=200)] | None = None
    code: Annotated[str, Field(max_length=20)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "SignatureBody":
        if (self.passkey is None) == (self.password is None or self.code is None):
            raise ValueError("either a passkey's answer, or password and code")
        return self

    def factor(self, web: Web, request: Request) -> Factor:
        """Return the factor as the service takes it."""
        if self.passkey is not None:
            return PasskeyFactor(web.origin, self.passkey)
        return PasswordFactor(self.password or "", self.code or "", web.device(request), address_of(request))


def approvals_router(web: Web, approvals: Approvals) -> APIRouter:
    """Route `/v1/approvals`, for signed-in people only."""
    router = APIRouter(prefix="/v1/approvals", tags=["approvals"])

    @router.post("", status_code=201)
    async def draft(request: Request, body: RequestBody) -> dict[str, Any]:
        """Write a request; it waits for its requester's own signature."""
        present = await web.require(request)
        campaign = None if body.campaign is None else CampaignId(body.campaign)
        with refusing():
            made = await approvals.draft(present.account, body.kind, campaign, body.params, body.reason)
        return _seen(made, present)

    @router.get("")
    async def waiting(request: Request) -> dict[str, Any]:
        """Return what waits for this person."""
        present = await web.require(request)
        return {"waiting": [_seen(one, present) for one in await approvals.waiting_for(present.account)]}

    @router.get("/{approval_id}")
    async def one(request: Request, approval_id: IdField) -> dict[str, Any]:
        present = await web.require(request)
        return _seen(await _known(approvals, approval_id), present)

    @router.post("/{approval_id}/challenge")
    async def challenge(request: Request, approval_id: IdField) -> JsonObject:
        """Return the options with which the person's passkey signs."""
        present = await web.require(request)
        known = await _known(approvals, approval_id)
        return await approvals.factors.passkey_options(web.origin, present.account, known)

    @router.post("/{approval_id}/signatures")
    async def sign(request: Request, approval_id: IdField, body: SignatureBody) -> dict[str, Any]:
        present = await web.require(request)
        with refusing():
            signed = await approvals.sign(present.account, ApprovalId(approval_id), body.factor(web, request))
        return _seen(signed, present)

    @router.post("/{approval_id}/refusal")
    async def refuse(request: Request, approval_id: IdField) -> dict[str, Any]:
        present = await web.require(request)
        with refusing():
            return _seen(await approvals.refuse(present.account, ApprovalId(approval_id)), present)

    @router.post("/{approval_id}/document")
    async def hand_out(request: Request, approval_id: IdField) -> JsonObject:
        """Return the executed document, for lottery and notifier."""
        present = await web.require(request)
        with refusing():
            return await approvals.hand_out(present.account, ApprovalId(approval_id))

    return router


@contextmanager
def refusing() -> Iterator[None]:
    """Answer refusals of approvals and of factors as HTTP problems."""
    try:
        yield
    except RequestRefusedError as refused:
        raise request_problem(refused) from None
    except SignInRefusedError as refused_factor:
        raise _wrong_factor(refused_factor) from None


async def _known(approvals: Approvals, approval_id: str) -> Approval:
    found = await approvals.find(approval_id)
    if found is None:
        raise request_problem(RequestRefusedError("unknown"))
    return found


def _seen(approval: Approval, present: Present) -> dict[str, Any]:
    return ApprovalView.of(approval, present.account).to_json()


def _wrong_factor(refused: SignInRefusedError) -> ProblemError:
    return problem(
        "sign-in-refused",
        429 if refused.reason == "too-many" else 401,
        "本人の確認ができませんでした",
        "パスキー、またはパスワードと新しいコードで、もう一度署名してください。",
        en="Passkey, or password and code, is not right; each one-time code counts once.",
    )
