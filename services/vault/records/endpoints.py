"""HTTP endpoints of the audit log, for auditors and programs: its parts, and the opening of a new one after a cut."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.vault.audit import AuditLog, NotCutError
from services.vault.audit.export import export_part
from services.vault.records.new_log import NewAuditLog
from shared.approvals import ApprovalId, ApprovalRefusedError
from shared.approvals.document import APPROVAL_ID
from shared.staff_roles import Right
from shared.web import LARGEST_INTEGER, problem
from shared.web.approval_problem import approval_problem
from shared.web.sign_in.staff import Access, Staff

LARGEST_EPOCH = 1_000_000


class NewLogBody(BaseModel):
    """Order of a new log."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    approval: Annotated[str, StringConstraints(pattern=APPROVAL_ID)]


def audit_router(audit: AuditLog, new_log: NewAuditLog, access: Access) -> APIRouter:
    """Route the parts of the log, and the opening of a new one."""
    router = APIRouter(prefix="/v1/audit", tags=["audit"])
    guard = access.guard(Right.READ_AUDIT_LOG)
    Reader = Annotated[Staff, Depends(guard)]  # noqa: N806  (a type)

    @router.get("", dependencies=[Depends(guard)])
    async def part(
        after: Annotated[int, Query(ge=0, le=LARGEST_INTEGER)] = 0,
        epoch: Annotated[int | None, Query(ge=1, le=LARGEST_EPOCH)] = None,
    ) -> dict[str, Any]:
        return await export_part(audit, after, epoch)

    @router.post("/logs", status_code=201)
    async def open_log(body: NewLogBody, staff: Reader) -> dict[str, Any]:
        """Open the next log. The gate takes it from the requester of the approval alone."""
        try:
            epoch = await new_log.open(ApprovalId(body.approval), staff.actor)
        except ApprovalRefusedError as refusal:
            raise approval_problem(refusal) from None
        except NotCutError:
            raise problem(
                "audit-log-whole", 409, "監査記録に欠けはありません", "記録の画面で状態を確かめてください。",
                en="The audit log in use is whole; no new one is opened.",
            ) from None  # fmt: skip
        return {"epoch": epoch, "origin": audit.folder.origin(epoch)}

    return router
