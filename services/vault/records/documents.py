"""Make the documents as A4 PDF in Japanese with their data attached; each making is a line of the audit log."""

import asyncio
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from services.vault.approvals.repository import ApprovalRepository
from services.vault.audit import AuditEvent, AuditLog
from services.vault.people.repository import AccountRepository
from services.vault.people.rules.account import Account
from services.vault.records.rules.documents import DocumentName, Table, roster, take_outs, training
from shared.catalogue import Catalogue
from shared.dates import TOKYO
from shared.typesetting import Typesetter

TEMPLATE: Final = Path(__file__).with_name("record.typ")
_ALL: Final = 100_000


class Records:
    """Documents of one installation. `office`: its name, as it stands on them."""

    def __init__(
        self,
        accounts: AccountRepository,
        approvals: ApprovalRepository,
        audit: AuditLog,
        typesetter: Typesetter,
        ja: Catalogue,
        office: str,
    ) -> None:
        self._accounts, self._approvals, self._audit = accounts, approvals, audit
        self._typesetter, self._ja, self._office = typesetter, ja, office

    async def pdf(self, name: DocumentName, reader: Account) -> bytes:
        """Return the PDF, after the audit line is durable."""
        role = "+".join(sorted(reader.roles))
        await self._audit.record([AuditEvent(reader.id, role, f"make-document:{name}", "records", None, None, "done")])
        table, made_at = await self._table(name), datetime.now(UTC)
        content = table.to_json(name, self._office, made_at)
        data = {
            "name": name.value,
            "title": self._ja.say(f"records.{name}"),
            "office": self._office,
            "made_at": f"{made_at.astimezone(TOKYO):%Y年%m月%d日 %H:%M}",
            "columns": list(table.columns),
            "widths": list(table.columns.values()),
            "rows": [list(row) for row in table.rows],
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        return await asyncio.to_thread(self._typesetter.pdf, TEMPLATE, data, standard="a-3b", document=content)

    async def _table(self, name: DocumentName) -> Table:
        if name is DocumentName.TAKE_OUTS:
            return take_outs(await self._approvals.latest(_ALL), self._ja)
        accounts = [stored.account for stored in await self._accounts.all()]
        return roster(accounts, self._ja) if name is DocumentName.ROSTER else training(accounts)
