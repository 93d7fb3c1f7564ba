"""Giving everything back: the package is made, encrypted to the ward's key, and confirmed by its hash (R-C6, R-C11)."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyrage

from services.vault.applications import repository as register
from services.vault.audit import AuditEvent, AuditLog
from services.vault.closeout.package_format import Package, Row, row_of
from services.vault.closeout.repository import Ledger
from services.vault.closeout.rules.stages import Stage
from services.vault.identities.reveal import Identities
from shared.campaign import Campaign
from shared.clock import Clock
from shared.errors import KujiError
from shared.files import write_atomic
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import Store

PURPOSE: Final = "return"
_BATCH: Final = 500

_log = get_logger(__name__)


class CloseOutRefused(KujiError):  # noqa: N818  (says what is the case)
    """A step of the close-out is not due or not allowed; `code` says why, as the name of an HTTP problem."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class TakeOut:
    """Who takes everything out, for whom (an age public key, `age1…`), and who else agreed."""

    recipient: str
    requested_by: str
    approved_by: str


class Returns:
    """Packages lie in `outgoing`, encrypted; only the ward can open them."""

    def __init__(
        self, store: Store, identities: Identities, audit: AuditLog, ledger: Ledger, clock: Clock, outgoing: Path
    ) -> None:
        self._store, self._identities, self._audit = store, identities, audit
        self._ledger, self._clock, self._outgoing = ledger, clock, outgoing

    async def make(self, campaign: Campaign, take_out: TakeOut) -> dict[str, Any]:
        """`{id, sha256, size}` of the encrypted package. Raises CloseOutRefused."""
        if take_out.requested_by == take_out.approved_by:
            raise CloseOutRefused("two-people-needed")
        recipient = _recipient(take_out.recipient)
        stage, _ = await self._ledger.of(campaign.id)
        if stage not in {Stage.OPEN, Stage.RETURNED, Stage.CONFIRMED}:
            raise CloseOutRefused("erasure-under-way")
        package_id = secrets.token_hex(8)
        plaintext = await self._pack(campaign, package_id, take_out.requested_by)
        sealed = await asyncio.to_thread(pyrage.encrypt, plaintext, [recipient])
        digest = hashlib.sha256(sealed).hexdigest()
        made = {"id": package_id, "sha256": digest, "size": len(sealed)}
        await self._audit.record([_taken_out(campaign.id, take_out, package_id, digest)])
        await asyncio.to_thread(_write, self._path(campaign.id, package_id), sealed)
        roles = {"requested_by": take_out.requested_by, "approved_by": take_out.approved_by}
        if not await self._ledger.advance(campaign.id, Stage.RETURNED, {"package": {**made, **roles}}):
            self._path(campaign.id, package_id).unlink(missing_ok=True)
            raise CloseOutRefused("erasure-under-way")
        _log.info("package-made", campaign=campaign.id, sha256=digest, size=len(sealed))
        return made

    async def file(self, campaign: CampaignId, package_id: str) -> Path | None:
        """The encrypted file of the package that counts; None where there is none (any more)."""
        _, record = await self._ledger.of(campaign)
        if record.get("package", {}).get("id") != package_id:
            return None
        path = self._path(campaign, package_id)
        return path if path.exists() else None

    async def confirm(self, campaign: CampaignId, sha256: str, confirmed_by: str) -> None:
        """The ward holds the package with this hash. Raises CloseOutRefused."""
        stage, record = await self._ledger.of(campaign)
        package = record.get("package")
        if package is None or stage not in {Stage.RETURNED, Stage.CONFIRMED}:
            raise CloseOutRefused("nothing-to-confirm")
        if package["sha256"] != sha256:
            raise CloseOutRefused("other-package")
        if package["requested_by"] == confirmed_by:
            raise CloseOutRefused("two-people-needed")
        confirmation = {"confirmation": {"by": confirmed_by, "at": self._clock.now(), "sha256": sha256}}
        await self._ledger.advance(campaign, Stage.CONFIRMED, confirmation, only_if={"package.sha256": sha256})

    def remove_files(self, campaign: CampaignId) -> int:
        """Delete every package of the campaign; how many there were."""
        files = self.files(campaign)
        for file in files:
            file.unlink(missing_ok=True)
        return len(files)

    def files(self, campaign: CampaignId) -> list[Path]:
        return list((self._outgoing / campaign).glob("*")) if (self._outgoing / campaign).is_dir() else []

    async def _pack(self, campaign: Campaign, package_id: str, actor: str) -> bytes:
        package = Package(campaign, self._clock.now())
        async for rows in self._rows(campaign.id, package_id, actor):
            package.add(rows)
        lines = [line async for line in _all_lines(self._audit)]
        return await asyncio.to_thread(package.pack, lines)

    async def _rows(self, campaign: CampaignId, package_id: str, actor: str) -> AsyncIterator[list[Row]]:
        """All applications of the campaign, some hundred at a time, with whom they are from."""
        cursor = self._store.db[register.COLLECTION].find({"campaign": campaign}).sort("_id", 1)
        while applications := await cursor.to_list(_BATCH):
            yield await self._with_people(applications, package_id, actor)

    async def _with_people(self, applications: Sequence[dict[str, Any]], package_id: str, actor: str) -> list[Row]:
        tokens = [each["token"] for each in applications if each.get("token")]
        known = await self._identities.reveal(tokens, purpose=PURPOSE, actor=actor, case=f"return-package:{package_id}")
        people = {known[token].application_id: known[token].person for token in known}
        return [row_of(each, people.get(each["_id"])) for each in applications]

    def _path(self, campaign: CampaignId, package_id: str) -> Path:
        return self._outgoing / campaign / f"{package_id}.zip.age"


async def _all_lines(audit: AuditLog) -> AsyncIterator[str]:
    after = 0
    while lines := await audit.lines(after):
        for line in lines:
            yield line
        after += len(lines)


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise CloseOutRefused("unknown-recipient") from None


def _taken_out(campaign: CampaignId, take_out: TakeOut, package_id: str, sha256: str) -> AuditEvent:
    actor = f"{take_out.requested_by}+{take_out.approved_by}"
    return AuditEvent(actor, "handler", f"return-package:{package_id}", PURPOSE, campaign, None, sha256)


def _write(path: Path, content: bytes) -> None:
    """Write the package in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomic(path, content)
