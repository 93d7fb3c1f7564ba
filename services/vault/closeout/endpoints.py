"""HTTP endpoints of the close-out, for staff and the ward. No answer holds personal data."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.vault.closeout.order import ErasureOrders
from services.vault.closeout.refusals import CloseOutRefusedError
from services.vault.closeout.repository import CloseOutRepository
from services.vault.closeout.return_package import ReturnPackages
from services.vault.closeout.rules.record import CloseOutRecord
from services.vault.closeout.rules.required_stores import OTHER_SERVICES
from services.vault.closeout.rules.stages import Stage
from services.vault.closeout.ward_key import WardKeys
from shared.approvals import ApprovalId, ApprovalRefusedError
from shared.approvals.document import APPROVAL_ID
from shared.campaign import Campaign
from shared.ids import CampaignId
from shared.staff_roles import Right
from shared.web import problem
from shared.web.approval_problem import approval_problem
from shared.web.sign_in.staff import Access, Staff

ApprovalIdField = Annotated[str, StringConstraints(pattern=APPROVAL_ID)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
PackageId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]

_PRIVATE: Final = {"Cache-Control": "no-store"}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class WardKeyBody(_Body):
    """The ward's age public key for returns, and the approval of both sides that fixes it."""

    recipient: Annotated[str, StringConstraints(pattern=r"^age1[0-9a-z]{10,200}$")]
    approval: ApprovalIdField


class TakeOutBody(_Body):
    """Order of a return package: it goes to the ward's fixed key."""

    approval: ApprovalIdField


class ConfirmationBody(_Body):
    """Confirmation of the ward: SHA-256 (hex) of the package it received, and the code that stands inside it."""

    sha256: Sha256
    code: Annotated[str, StringConstraints(max_length=40)]


class ErasureBody(_Body):
    """Order of an erasure. `campaign_typed`: the campaign's id, typed in full by the person who orders it."""

    approval: ApprovalIdField
    campaign_typed: Annotated[str, StringConstraints(max_length=64)]


def returns_router(
    campaigns: Mapping[CampaignId, Campaign], returns: ReturnPackages, ward_keys: WardKeys, access: Access
) -> APIRouter:
    """Return the endpoints for the ward's key, and for making, fetching and confirming a return package."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}", tags=["close-out"])

    def known(campaign: str) -> Campaign:
        return _known(campaigns, campaign)

    requesters = access.guard(Right.RETURN_DATA)
    Requester = Annotated[Staff, Depends(requesters)]  # noqa: N806  (a type)
    Confirmer = Annotated[Staff, Depends(access.guard(Right.CONFIRM_RETURN))]  # noqa: N806  (a type)

    Fixer = Annotated[Staff, Depends(access.guard(Right.READ_CLOSE_OUT, Right.FIX_WARD_KEY))]  # noqa: N806  (a type)

    @router.get("/ward-key")
    async def ward_key(campaign: Annotated[Campaign, Depends(known)], _: Fixer) -> dict[str, Any]:
        return {"recipient": await ward_keys.find(campaign.id)}

    @router.post("/ward-key")
    async def fix(campaign: Annotated[Campaign, Depends(known)], body: WardKeyBody, staff: Fixer) -> dict[str, Any]:
        """Fix the key to which every return of the campaign is encrypted."""
        with _refusing():
            await ward_keys.fix(campaign.id, body.recipient, ApprovalId(body.approval), staff.actor)
        return {"recipient": body.recipient}

    @router.post("/return-package", status_code=201)
    async def make(
        campaign: Annotated[Campaign, Depends(known)], body: TakeOutBody, staff: Requester
    ) -> dict[str, Any]:
        with _refusing():
            return await returns.make(campaign, ApprovalId(body.approval), staff.actor)

    @router.get("/return-package/{package_id}", dependencies=[Depends(requesters)])
    async def fetch(campaign: Annotated[Campaign, Depends(known)], package_id: PackageId) -> Response:
        file = await returns.file(campaign.id, package_id)
        if file is None:
            raise problem("unknown-package", 404, "返還資料がありません", "新しい返還資料を作成してください。")
        return FileResponse(file, media_type="application/octet-stream", headers=_PRIVATE)

    @router.post("/return-confirmation")
    async def confirm(
        campaign: Annotated[Campaign, Depends(known)], body: ConfirmationBody, staff: Confirmer
    ) -> dict[str, str]:
        with _refusing():
            await returns.confirm(campaign.id, body.sha256, body.code, staff.actor)
        return {"state": "confirmed"}

    return router


def erasure_router(
    campaigns: Mapping[CampaignId, Campaign], repository: CloseOutRepository, orders: ErasureOrders, access: Access
) -> APIRouter:
    """Return the endpoints for ordering an erasure, its status and its certificate."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}", tags=["close-out"])

    def known(campaign: str) -> Campaign:
        return _known(campaigns, campaign)

    reading = [Depends(access.guard(Right.READ_CLOSE_OUT))]
    Requester = Annotated[Staff, Depends(access.guard(Right.ERASE))]  # noqa: N806  (a type)

    @router.post("/erasure", status_code=202)
    async def order(
        campaign: Annotated[Campaign, Depends(known)], body: ErasureBody, staff: Requester
    ) -> dict[str, Any]:
        with _refusing():
            if body.campaign_typed != campaign.id:
                raise CloseOutRefusedError("other-campaign-typed")
            await orders.order(campaign, ApprovalId(body.approval), staff.actor)
        return _status(await repository.find(campaign.id))

    @router.get("/erasure", dependencies=reading)
    async def status(campaign: Annotated[Campaign, Depends(known)]) -> dict[str, Any]:
        return _status(await repository.find(campaign.id))

    @router.get("/certificate", dependencies=reading)
    async def certificate(campaign: Annotated[Campaign, Depends(known)]) -> Response:
        content = _issued((await repository.find(campaign.id)).certificate)
        return Response(content, media_type="application/json", headers=_PRIVATE)

    @router.get("/certificate.pdf", dependencies=reading)
    async def page(campaign: Annotated[Campaign, Depends(known)]) -> Response:
        content = _issued((await repository.find(campaign.id)).page)
        return Response(content, media_type="application/pdf", headers=_PRIVATE)

    return router


def _known(campaigns: Mapping[CampaignId, Campaign], campaign: str) -> Campaign:
    found = campaigns.get(CampaignId(campaign))
    if found is None:
        raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
    return found


def _status(record: CloseOutRecord) -> dict[str, Any]:
    """Return the status of an erasure. `waiting_for`: services whose next answer is missing."""
    order = record.order
    answered = record.answered("measured" if record.stage is Stage.DRAINED else "erased")
    waiting = order is not None and record.stage not in {Stage.MEASURED, Stage.PENDING, Stage.CERTIFIED}
    return {
        "state": record.stage.value,
        "erasure_id": order and order.erasure_id,
        "ordered_at": order and order.at.isoformat(),
        "waiting_for": [service for service in OTHER_SERVICES if waiting and service not in answered],
        "waiting_for_delay_queues": record.stage is Stage.SILENCED,
    }


def _issued(content: bytes | None) -> bytes:
    """Return the content. Raises ProblemError (404) before there is a certificate."""
    if content is None:
        raise problem(
            "no-certificate",
            404,
            "証明書はまだありません",
            "消去の状況を確かめてください。",
            en="Nothing has been certified yet; look at the state of the erasure.",
        )
    return bytes(content)


_REFUSALS: Final = {
    "two-people-needed": (409, "二人の担当者が必要です", "別の担当者の承認を受けてください。", "It takes two."),
    "no-ward-key": (
        409, "区の公開鍵が登録されていません", "先に区の公開鍵を登録してください。", "Fix the ward's key first.",
    ),
    "wrong-code": (
        409, "受領コードが違います", "返還資料の README.txt のコードを入力してください。",
        "The code stands in README.txt inside the package.",
    ),
    "other-campaign-typed": (
        409, "募集のIDが一致しません", "消去する募集のIDを、省略せずに入力してください。",
        "Type the campaign's id in full.",
    ),
    "unknown-recipient": (422, "公開鍵が正しくありません", "区のage公開鍵を確かめてください。", "No age public key."),
    "audit-log-cut": (
        409, "監査記録に欠けがあります", "新しい監査記録を開く承認を受けてください。",
        "Lines of the audit log are missing or changed: open a new log by approval first.",
    ),
    "erasure-under-way": (409, "消去が始まっています", "消去の状況を確かめてください。", "The erasure has begun."),
    "nothing-to-confirm": (
        409, "確認する返還資料がありません", "先に返還資料を作成してください。", "Make the package first.",
    ),
    "other-package": (
        409, "返還資料のSHA-256が一致しません", "届いたファイルを確かめてください。", "The hash is of another file.",
    ),
    "return-not-confirmed": (
        409, "返還の確認がまだです", "区の確認を登録してください。", "The ward has not confirmed the return.",
    ),
    "person-erasure-under-way": (
        409, "本人の求めによる消去が終わっていません", "求めの一覧で、消去証明書ができるまで待ってください。",
        "The erasure of one person has no certificate yet: wait for it at `/desk/requests`.",
    ),
    "before-close-out": (
        409, "消去の期日の前です", "期日を待つか、別の理由で承認を受けてください。",
        "Wait for the date, or get an approval with another reason than `due`.",
    ),
}  # fmt: skip


@contextmanager
def _refusing() -> Iterator[None]:
    """Answer refusals as HTTP problems."""
    try:
        yield
    except CloseOutRefusedError as refusal:
        status, title, detail, en = _REFUSALS[refusal.code]
        raise problem(refusal.code, status, title, detail, en=en) from None
    except ApprovalRefusedError as refused:
        raise approval_problem(refused) from None
