"""The page of records in one language, for those who may read the roster and the audit log; it shows no applicant."""

import json
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request, Response

from services.vault.audit import AuditLog
from services.vault.people.pages.context import Web
from services.vault.people.sign_in import Present
from services.vault.records.audit_check import check_audit_log
from services.vault.records.documents import Records
from services.vault.records.rules.documents import DocumentName
from shared.catalogue import Catalogue
from shared.staff_roles import Right, may
from shared.web.problems import problem

_SHOWN: Final = 50
_COLUMNS: Final = ("seq", "at", "actor", "role", "action", "purpose", "campaign", "outcome")
"""Members of a line that the page shows; `subject` is a pseudonym and stays in the log."""


@dataclass(frozen=True)
class RecordPages:
    """Parts behind the pages."""

    web: Web
    records: Records
    audit: AuditLog

    async def listed(self, texts: Catalogue, present: Present) -> Response:
        """Return the page: documents, the check of the log, and its newest lines."""
        check = await check_audit_log(self.audit)
        lines = [json.loads(line) for line in await self.audit.lines(max(0, check.lines - _SHOWN), _SHOWN)]
        return self.web.page(
            "records.html",
            texts,
            "/desk/records",
            present=present,
            documents=tuple(DocumentName),
            check=check,
            checkpoint=await self.audit.checkpoint(),
            columns=_COLUMNS,
            lines=lines[::-1],
        )


def records_router(pages: RecordPages, texts: Catalogue) -> APIRouter:
    """Route the page and the documents."""
    router, web = APIRouter(prefix="/desk/records"), pages.web

    @router.get("", response_model=None)
    async def listed(request: Request) -> Response:
        present = await web.present(request)
        if present is None:
            return web.to_sign_in(texts, request)
        if not _may_read(present):
            return web.page("no_right.html", texts, None, status=403, present=present)
        return await pages.listed(texts, present)

    @router.get("/{name}.pdf", response_model=None)
    async def document(request: Request, name: str) -> Response:
        present = await web.present(request)
        if present is None:
            return web.to_sign_in(texts, request)
        if not _may_read(present):
            return web.page("no_right.html", texts, None, status=403, present=present)
        if name not in tuple(DocumentName):
            raise problem("unknown-document", 404, "書類がありません", "記録の画面から開いてください。")
        content = await pages.records.pdf(DocumentName(name), present.account)
        headers = {**web.headers, "Content-Disposition": f'attachment; filename="{name}.pdf"'}
        return Response(content, media_type="application/pdf", headers=headers)

    return router


def _may_read(present: Present) -> bool:
    roles = present.account.roles
    return may(roles, Right.READ_ROSTER) and may(roles, Right.READ_AUDIT_LOG)
