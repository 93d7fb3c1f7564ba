"""Return everything to the ward: make the package, encrypt it to the ward's key, confirm its hash (R-C6, R-C11)."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import pyrage

from services.vault.applications import repository as register
from services.vault.audit import AuditEvent, AuditLog
from services.vault.audit.export import list_logs
from services.vault.closeout.campaign_folders import CampaignFolders
from services.vault.closeout.package_format import Package, Row, row_of
from services.vault.closeout.refusals import CloseOutRefusedError
from services.vault.closeout.repository import CloseOutRepository
from services.vault.closeout.rules.stages import Stage
from services.vault.closeout.ward_key import WardKeys, parse_recipient
from services.vault.identities.reveal import Identities
from services.vault.people.rules.one_time import code_hash, new_code
from shared.approvals import Act, ApprovalGate, ApprovalId, ApprovalKind, ExecutedApproval
from shared.campaign import Campaign
from shared.clock import Clock
from shared.errors import KujiError
from shared.files import write_atomic
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.logging import get_logger
from shared.staff_roles import Role
from shared.storage import Store, UnitOfWork

PURPOSE: Final = "return"
_BATCH: Final = 500

_log = get_logger(__name__)


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
        gate: ApprovalGate,
        ward_keys: WardKeys,
    ) -> None:
        self._store, self._identities, self._audit = store, identities, audit
        self._repository, self._clock, self._folders = repository, clock, folders
        self._gate, self._ward_keys = gate, ward_keys

    async def params(self, campaign: CampaignId) -> JsonObject:
        """Return what an approval of a return names: the ward's key, and the number of applications."""
        recipient = await self._ward_keys.find(campaign)
        if recipient is None:
            raise CloseOutRefusedError("no-ward-key")
        return {"recipient": recipient, "applications": await self.count_applications(campaign)}

    async def count_applications(self, campaign: CampaignId) -> int:
        """Return the number of applications that the vault has of the campaign."""
        return await self._store.db[register.COLLECTION].count_documents({"campaign": campaign})

    async def make(self, campaign: Campaign, approval_id: ApprovalId, actor: str) -> JsonObject:
        """Return `{id, sha256, size}` of the encrypted package. Raises CloseOutRefusedError, ApprovalRefusedError.

        The package goes to the ward's fixed key only. The approval is executed in the transaction that records it.
        """
        stage = (await self._repository.find(campaign.id)).stage
        if stage not in {Stage.OPEN, Stage.RETURNED, Stage.CONFIRMED}:
            raise CloseOutRefusedError("erasure-under-way")
        if not await self._audit.is_whole():
            raise CloseOutRefusedError("audit-log-cut")
        act = Act(ApprovalKind.RETURN_PACKAGE, campaign.id, await self.params(campaign.id), actor)
        people = await self._gate.check(approval_id, act)
        package_id, code = secrets.token_hex(8), new_code()
        plaintext = await self._pack(campaign, package_id, people.requested_by, code)
        recipient = parse_recipient(str(act.params["recipient"]))
        sealed = await asyncio.to_thread(pyrage.encrypt, plaintext, [recipient])
        digest = hashlib.sha256(sealed).hexdigest()
        made = {"id": package_id, "sha256": digest, "size": len(sealed)}
        await self._audit.record([_taken_out(campaign.id, people, package_id, digest)])
        await asyncio.to_thread(_write, self._path(campaign.id, package_id), sealed)
        facts = {"requested_by": people.requested_by, "approved_by": people.approved_by}
        secret = {"code": code_hash(code), "recipient": act.params["recipient"]}
        try:
            await self._store.transact(lambda uow: self._record(uow, approval_id, act, {**made, **facts, **secret}))
        except KujiError:
            self._path(campaign.id, package_id).unlink(missing_ok=True)
            raise
        _log.info("package-made", campaign=campaign.id, sha256=digest, size=len(sealed))
        return made

    async def _record(self, uow: UnitOfWork, approval_id: ApprovalId, act: Act, package: JsonObject) -> None:
        """Execute the approval and record the package. Raises ApprovalRefusedError, CloseOutRefusedError."""
        await self._gate.execute(uow, approval_id, act)
        campaign = CampaignId(str(act.campaign))
        if not await self._repository.advance(campaign, Stage.RETURNED, {"package": package}, uow=uow):
            raise CloseOutRefusedError("erasure-under-way")

    async def file(self, campaign: CampaignId, package_id: str) -> Path | None:
        """Return the encrypted file of the package that counts, or None if it does not exist."""
        record = await self._repository.find(campaign)
        if record.package is None or record.package.package_id != package_id:
            return None
        path = self._path(campaign, package_id)
        return path if path.exists() else None

    async def confirm(self, campaign: CampaignId, sha256: str, code: str, confirmed_by: str) -> None:
        """Record that the ward opened the package with this hash: `code` stands inside. Raises CloseOutRefusedError."""
        record = await self._repository.find(campaign)
        package = record.package
        if package is None or record.stage not in {Stage.RETURNED, Stage.CONFIRMED}:
            raise CloseOutRefusedError("nothing-to-confirm")
        if package.sha256 != sha256:
            raise CloseOutRefusedError("other-package")
        if package.requested_by == confirmed_by:
            raise CloseOutRefusedError("two-people-needed")
        if not hmac.compare_digest(package.code, code_hash(code)):
            raise CloseOutRefusedError("wrong-code")
        line = AuditEvent(confirmed_by, Role.WARD, "confirm-return", PURPOSE, campaign, None, sha256)
        await self._audit.record([line])
        confirmation = {"confirmation": {"by": confirmed_by, "at": self._clock.now(), "sha256": sha256}}
        await self._repository.advance(campaign, Stage.CONFIRMED, confirmation, only_if={"package.sha256": sha256})

    async def _pack(self, campaign: Campaign, package_id: str, actor: str, code: str) -> bytes:
        package = Package(campaign, self._clock.now(), code)
        async for rows in self._rows(campaign.id, package_id, actor):
            package.add(rows)
        logs = await list_logs(self._audit)
        return await asyncio.to_thread(package.pack, logs)

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


def _taken_out(campaign: CampaignId, people: ExecutedApproval, package_id: str, sha256: str) -> AuditEvent:
    action = f"return-package:{package_id}"
    return AuditEvent(people.everybody, people.roles, action, PURPOSE, campaign, None, sha256)


def _write(path: Path, content: bytes) -> None:
    """Write the package in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomic(path, content)
