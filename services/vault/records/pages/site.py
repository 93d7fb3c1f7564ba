"""The page of records in one language, for those who may read the roster and the audit log; it shows no applicant."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, Request, Response

from services.vault.audit import AuditLog
from services.vault.people.pages.context import Web
from services.vault.people.sign_in import Present
from services.vault.records.documents import Records
from services.vault.records.rules.documents import DocumentName
from shared.catalogue import Catalogue
from shared.json_types import JsonObject
from shared.staff_roles import Right
from shared.web.problems import problem

_RIGHTS: Final = (Right.READ_ROSTER, Right.READ_AUDIT_LOG)
"""Rights that a reader of records needs, all of them."""

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
        signed = await self.audit.checkpoint()
        folder, epoch = self.audit.folder, self.audit.folder.epoch
        end = await self.audit.end()
        lines = [json.loads(line) for line in await self.audit.lines(max(0, end - _SHOWN), _SHOWN)]
        return self.web.page(
            "records.html",
            texts,
            "/desk/records",
            present=present,
            documents=tuple(DocumentName),
            epoch=epoch,
            signed=signed or folder.signed(epoch),
            cosigned=folder.cosigned(epoch),
            cut=folder.cut(epoch),
            end=end,
            witness=self.audit.witness.key,
            hours_without=self.audit.hours_without_witness,
            columns=_COLUMNS,
            data=self._data(texts, epoch),
            lines=lines[::-1],
        )

    def _data(self, texts: Catalogue, epoch: int) -> JsonObject:
        """Return what the program of the page reads."""
        shown = texts.for_the_program(("records.",))
        return {"lang": texts.lang, "now": datetime.now(UTC).isoformat(), "texts": shown, "epoch": epoch}

    async def document(self, name: str, present: Present) -> Response:
        """Return a document as PDF. Raises ProblemError for an unknown name."""
        if name not in tuple(DocumentName):
            raise problem("unknown-document", 404, "書類がありません", "記録の画面から開いてください。")
        content = await self.records.pdf(DocumentName(name), present.account)
        headers = {**self.web.headers, "Content-Disposition": f'attachment; filename="{name}.pdf"'}
        return Response(content, media_type="application/pdf", headers=headers)


def records_router(pages: RecordPages, texts: Catalogue) -> APIRouter:
    """Route the page and the documents."""
    router, web = APIRouter(prefix="/desk/records"), pages.web

    @router.get("", response_model=None)
    async def listed(request: Request) -> Response:
        return await web.shown_to(request, texts, lambda present: pages.listed(texts, present), *_RIGHTS)

    @router.get("/{name}.pdf", response_model=None)
    async def document(request: Request, name: str) -> Response:
        return await web.shown_to(request, texts, lambda present: pages.document(name, present), *_RIGHTS)

    return router
