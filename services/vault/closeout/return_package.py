"""Return everything to the ward: make the package, encrypt it to the ward's key, confirm its hash (R-C6, R-C11)."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyrage

from services.vault.applications import repository as register
from services.vault.audit import AuditEvent, AuditLog
from services.vault.closeout.campaign_folders import CampaignFolders
from services.vault.closeout.package_format import Package, Row, row_of
from services.vault.closeout.repository import CloseOutRepository
from services.vault.closeout.rules.stages import Stage
from services.vault.identities.reveal import Identities
from shared.campaign import Campaign
from shared.clock import Clock
from shared.errors import KujiError
from shared.files import write_atomic
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.logging import get_logger
from shared.storage import Store

PURPOSE: Final = "return"
_BATCH: Final = 500

_log = get_logger(__name__)


class CloseOutRefusedError(KujiError):
    """Raised when a step of the close-out is not due or not allowed; `code` is the name of an HTTP problem."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class TakeOut:
    """A take-out: the recipient's age public key (`age1…`), and the staff ids of both people who agreed to it."""

    recipient: str
    requested_by: str
    approved_by: str


class ReturnPackages:
    """Make, find and confirm return packages. They are encrypted files that only the ward can open."""

    def __init__(
        self,
        store: Store,
        identities: Identities,
        audit: AuditLog,
        repository: CloseOutRepository,
        clock: Clock,
        folders: CampaignFolders,
    ) -> None:
        self._store, self._identities, self._audit = store, identities, audit
        self._repository, self._clock, self._folders = repository, clock, folders

    async def make(self, campaign: Campaign, take_out: TakeOut) -> JsonObject:
        """Return `{id, sha256, size}` of the encrypted package. Raises CloseOutRefusedError."""
        if take_out.requested_by == take_out.approved_by:
            raise CloseOutRefusedError("two-people-needed")
        recipient = _recipient(take_out.recipient)
        stage = (await self._repository.find(campaign.id)).stage
        if stage not in {Stage.OPEN, Stage.RETURNED, Stage.CONFIRMED}:
            raise CloseOutRefusedError("erasure-under-way")
        package_id = secrets.token_hex(8)
        plaintext = await self._pack(campaign, package_id, take_out.requested_by)
        sealed = await asyncio.to_thread(pyrage.encrypt, plaintext, [recipient])
        digest = hashlib.sha256(sealed).hexdigest()
        made = {"id": package_id, "sha256": digest, "size": len(sealed)}
        await self._audit.record([_taken_out(campaign.id, take_out, package_id, digest)])
        await asyncio.to_thread(_write, self._path(campaign.id, package_id), sealed)
        roles = {"requested_by": take_out.requested_by, "approved_by": take_out.approved_by}
        if not await self._repository.advance(campaign.id, Stage.RETURNED, {"package": {**made, **roles}}):
            self._path(campaign.id, package_id).unlink(missing_ok=True)
            raise CloseOutRefusedError("erasure-under-way")
        _log.info("package-made", campaign=campaign.id, sha256=digest, size=len(sealed))
        return made

    async def file(self, campaign: CampaignId, package_id: str) -> Path | None:
        """Return the encrypted file of the package that counts, or None if it does not exist."""
        record = await self._repository.find(campaign)
        if record.package is None or record.package.package_id != package_id:
            return None
        path = self._path(campaign, package_id)
        return path if path.exists() else None

    async def confirm(self, campaign: CampaignId, sha256: str, confirmed_by: str) -> None:
        """Record that the ward holds the package with this hash. Raises CloseOutRefusedError."""
        record = await self._repository.find(campaign)
        package = record.package
        if package is None or record.stage not in {Stage.RETURNED, Stage.CONFIRMED}:
            raise CloseOutRefusedError("nothing-to-confirm")
        if package.sha256 != sha256:
            raise CloseOutRefusedError("other-package")
        if package.requested_by == confirmed_by:
            raise CloseOutRefusedError("two-people-needed")
        confirmation = {"confirmation": {"by": confirmed_by, "at": self._clock.now(), "sha256": sha256}}
        await self._repository.advance(campaign, Stage.CONFIRMED, confirmation, only_if={"package.sha256": sha256})

    async def _pack(self, campaign: Campaign, package_id: str, actor: str) -> bytes:
        package = Package(campaign, self._clock.now())
        async for rows in self._rows(campaign.id, package_id, actor):
            package.add(rows)
        lines = [line async for line in _all_lines(self._audit)]
        return await asyncio.to_thread(package.pack, lines)

    async def _rows(self, campaign: CampaignId, package_id: str, actor: str) -> AsyncIterator[list[Row]]:
        """Yield all applications of the campaign with their people, some hundred at a time."""
        cursor = self._store.db[register.COLLECTION].find({"campaign": campaign}).sort("_id", 1)
        while applications := await cursor.to_list(_BATCH):
            yield await self._with_people(applications, package_id, actor)

    async def _with_people(self, applications: Sequence[JsonObject], package_id: str, actor: str) -> list[Row]:
        tokens = [application["token"] for application in applications if application.get("token")]
        known = await self._identities.reveal(tokens, purpose=PURPOSE, actor=actor, case=f"return-package:{package_id}")
        people = {known[token].application_id: known[token].person for token in known}
        return [row_of(application, people.get(application["_id"])) for application in applications]

    def _path(self, campaign: CampaignId, package_id: str) -> Path:
        return self._folders.outgoing(campaign) / f"{package_id}.zip.age"


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
        raise CloseOutRefusedError("unknown-recipient") from None


def _taken_out(campaign: CampaignId, take_out: TakeOut, package_id: str, sha256: str) -> AuditEvent:
    actor = f"{take_out.requested_by}+{take_out.approved_by}"
    return AuditEvent(actor, "handler", f"return-package:{package_id}", PURPOSE, campaign, None, sha256)


def _write(path: Path, content: bytes) -> None:
    """Write the package in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomic(path, content)
