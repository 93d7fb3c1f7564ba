"""Attack a12: one insider takes everybody's data out to an own key, or fetches printed cards. Stopped at three points.

Each point stops the attack alone: the account, the approval of others, and the ward's key that was fixed at set-up.
"""

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from services.vault.approvals import parts as approval_parts
from services.vault.approvals.gate import VaultApprovalGate
from services.vault.approvals.repository import APPROVALS
from services.vault.closeout.endpoints import erasure_router, returns_router
from services.vault.closeout.rules.stages import Stage
from services.vault.closeout.ward_key import COLLECTION, WardKeys
from services.vault.notices import repository as template_repository
from services.vault.notices.endpoints import templates_router
from services.vault.notices.released import ReleasedTemplates
from services.vault.notices.sources import TemplateFiles
from services.vault.people import parts as people_parts
from services.vault.people.access import VaultAccess
from services.vault.printroom import repository as print_repository
from services.vault.printroom.endpoints import print_router
from services.vault.printroom.open_batches import PrintedBatches
from services.vault.printroom.repository import PrintBatch, PrintBatchRepository
from shared.approvals import ApprovalId, ApprovalKind
from shared.ids import BatchId, NoticeId
from shared.json_types import JsonObject
from shared.staff_roles import Role
from shared.web import install_problems
from tests.support.closeout_harness import PEOPLE, WARD, CloseOutOffice, wire
from tests.support.planted_approvals import plant_approval
from tests.support.staff_sign_in import ORIGINS, sign_in_at_vault
from tests.support.vault_parts import parts

INSIDER = "handler-1"
STRANGERS_KEY = pyrage.x25519.Identity.generate()
BATCH = BatchId("batch-1")
NOTICE = NoticeId("n-" + "0" * 20)
TEMPLATE = {"kind": "result", "channel": "card"}


@dataclass(frozen=True)
class Installation:
    """A vault with people, applications, a printed batch and a real gate, before its endpoints."""

    office: CloseOutOffice
    http: AsyncClient
    insider: dict[str, str]
    templates: ReleasedTemplates
    printed: PrintedBatches

    @property
    def campaign(self) -> str:
        return str(self.office.vault.campaign.id)

    async def post(self, path: str, body: JsonObject, *, signed_in: bool = True) -> Response:
        address = f"/v1/campaigns/{self.campaign}/{path}"
        return await self.http.post(address, json=body, headers=self.insider if signed_in else {})

    async def approval(self, kind: ApprovalKind, params: JsonObject, **changed: Any) -> ApprovalId:
        campaign = changed.pop("campaign", self.campaign)
        return await plant_approval(self.office.vault.store, kind, campaign, params, INSIDER, **changed)

    async def fix_ward_key(self) -> None:
        store = self.office.vault.store
        await store.db[COLLECTION].insert_one(
            {
                "_id": self.campaign, "recipient": str(WARD.to_public()), "approval": "a-" + "0" * 20,
                "fixed_at": datetime.now(UTC),
            }
        )  # fmt: skip

    async def return_params(self) -> JsonObject:
        return {"recipient": str(WARD.to_public()), "applications": len(PEOPLE)}

    async def outcome(self) -> tuple[Stage, bool]:
        """Return the stage of the close-out, and whether a package lies in the folder."""
        counts = self.office.folders.counts(self.office.vault.campaign.id)
        return await self.office.stage(), bool(counts["return package"])


@pytest.fixture
async def installation(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Installation]:
    collections = [
        *people_parts.collections(), *approval_parts.collections(), *template_repository.collections(),
        *print_repository.collections(),
    ]  # fmt: skip
    async with parts(mongo_url, namespace, tmp_path, collections) as vault:
        await vault.admit(PEOPLE)
        gate: VaultApprovalGate = approval_parts.make_gate(vault.store, vault.audit, vault.keystore.signing)
        office = wire(vault, tmp_path)
        ward_keys = WardKeys(vault.store, gate)
        office.returns.__dict__.update(_gate=gate, _ward_keys=ward_keys)
        orders = replace(office.orders, gate=gate)
        await office.repository.ensure([vault.campaign.id])
        people = people_parts.People.make(vault.store, vault.keystore, vault.audit, vault.clock, vault.campaigns)
        access, files = VaultAccess(people, ORIGINS), TemplateFiles(Path("deploy/campaigns"))
        templates = ReleasedTemplates(vault.store, vault.campaigns, files, vault.audit, vault.clock, gate)
        printed = PrintedBatches(vault.store, vault.keystore, vault.audit, gate)
        batch = PrintBatch(BATCH, vault.campaign.id, 2, (NOTICE,), (), 4, datetime.now(UTC))
        repository = PrintBatchRepository(vault.store)
        await vault.store.transact(lambda uow: repository.insert(uow, vault.keys, batch, b"%PDF"))
        app = FastAPI()
        install_problems(app)
        for router in (
            returns_router(vault.campaigns, office.returns, ward_keys, access),
            erasure_router(vault.campaigns, office.repository, orders, access),
            templates_router(vault.campaigns, templates, access),
            print_router(vault.campaigns, printed, access),
        ):
            app.include_router(router)
        insider = await sign_in_at_vault(vault.store, vault.keystore, INSIDER, {Role.HANDLER, Role.RESPONSIBLE})
        async with AsyncClient(transport=ASGITransport(app), base_url=ORIGINS["vault"], timeout=30) as http:
            yield Installation(office, http, insider, templates, printed)


async def test_without_an_account_nobody_takes_anything_out(installation: Installation):
    await installation.fix_ward_key()
    approval = await installation.approval(ApprovalKind.RETURN_PACKAGE, await installation.return_params())
    refused = await installation.post("return-package", {"approval": approval}, signed_in=False)
    assert refused.status_code == 401
    token = {"authorization": "Bearer staff-of-the-tests"}
    path = f"/v1/campaigns/{installation.campaign}/return-package"
    assert (await installation.http.post(path, json={"approval": approval}, headers=token)).status_code == 401
    assert await installation.outcome() == (Stage.OPEN, False)


async def test_without_the_approval_of_others_nothing_is_taken_out(installation: Installation):
    await installation.fix_ward_key()
    invented = await installation.post("return-package", {"approval": f"a-{secrets.token_hex(10)}"})
    assert (invented.status_code, invented.json()["reason"]) == (409, "unknown")
    named = {"recipient": str(STRANGERS_KEY.to_public()), "requested_by": INSIDER, "approved_by": "responsible-1"}
    assert (await installation.post("return-package", named)).status_code == 422
    assert await installation.outcome() == (Stage.OPEN, False)


async def test_a_package_goes_to_the_wards_key_alone(installation: Installation):
    own = {"recipient": str(STRANGERS_KEY.to_public()), "applications": len(PEOPLE)}
    approval = await installation.approval(ApprovalKind.RETURN_PACKAGE, own)
    assert (await installation.post("return-package", {"approval": approval})).json()["type"].endswith("no-ward-key")
    await installation.fix_ward_key()
    assert (await installation.post("return-package", {"approval": approval})).json()["reason"] == "other-params"
    assert await installation.outcome() == (Stage.OPEN, False)
    right = await installation.approval(ApprovalKind.RETURN_PACKAGE, await installation.return_params())
    made = (await installation.post("return-package", {"approval": right})).raise_for_status().json()
    file = await installation.office.returns.file(installation.office.vault.campaign.id, made["id"])
    assert file is not None
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(file.read_bytes(), [STRANGERS_KEY])
    assert pyrage.decrypt(file.read_bytes(), [WARD])


async def acts(installation: Installation) -> list[tuple[ApprovalKind, str, JsonObject, JsonObject]]:
    """Return kind, path, body without approval, and right parameters of each act of the vault that needs one."""
    key = {"recipient": str(WARD.to_public())}
    campaign = installation.office.vault.campaign.id
    templates = await installation.templates.params(campaign, [("result", "card")])
    printed = await installation.printed.params(campaign, {"batch": BATCH})
    order = {"package_sha256": "0" * 64, "applications": len(PEOPLE)}
    return [
        (ApprovalKind.WARD_KEY, "ward-key", key, key),
        (ApprovalKind.RELEASE_TEMPLATES, "notice-templates/releases", {"templates": [TEMPLATE]}, templates),
        (ApprovalKind.PRINT_PDF, f"print-batches/{BATCH}/pdf", {}, printed),
        (ApprovalKind.RETURN_PACKAGE, "return-package", {}, await installation.return_params()),
        (ApprovalKind.ERASE_CAMPAIGN, "erasure", {"campaign_typed": installation.campaign}, order),
    ]


async def test_every_act_of_the_vault_refuses_what_is_no_executed_approval_for_it(installation: Installation):
    """Walk all endpoints: none, another kind's, campaign's, person's or parameters' approval, expired, used."""
    store, past = installation.office.vault.store, datetime.now(UTC) - timedelta(minutes=1)
    await installation.fix_ward_key()
    package = {"id": "x", "sha256": "0" * 64, "requested_by": INSIDER, "code": "", "recipient": ""}
    confirmed = {"stage": "confirmed", "package": package}
    for kind, path, body, params in await acts(installation):
        if kind is ApprovalKind.ERASE_CAMPAIGN:
            await store.db["closeouts"].update_one({"_id": installation.campaign}, {"$set": confirmed})
        assert (await installation.post(path, body)).status_code == 422, path
        other_kind = ApprovalKind.EXPORT_AUDIT
        wrong = {
            "unknown": f"a-{secrets.token_hex(10)}",
            "other-kind": await installation.approval(other_kind, {"lines": 1}),
            "other-campaign": await installation.approval(kind, params, campaign="another"),
            "other-person": await plant_approval(store, kind, installation.campaign, params, "somebody-else"),
            "other-params": await installation.approval(kind, _changed(params)),
            "expired": await installation.approval(kind, params, expires=past),
            "not-approved": await installation.approval(kind, params),
            "used": await installation.approval(kind, params),
        }
        await store.db[APPROVALS].update_one({"_id": wrong["not-approved"]}, {"$set": {"state": "waiting"}})
        await store.db[APPROVALS].update_one({"_id": wrong["used"]}, {"$set": {"state": "executed"}})
        for reason, approval in wrong.items():
            refused = await installation.post(path, {**body, "approval": approval})
            assert (refused.status_code, refused.json().get("reason")) == (409, reason), path
        right = await installation.approval(kind, params)
        assert (await installation.post(path, {**body, "approval": right})).is_success, path
        assert (await installation.post(path, {**body, "approval": right})).status_code in {202, 409}, path
    lines = [json.loads(line)["action"] for line in await installation.office.vault.audit.lines(0)]
    assert len([action for action in lines if action.startswith("execute-approval")]) == 5


def _changed(params: JsonObject) -> JsonObject:
    """Return parameters of the same kind that differ in one member."""
    if "templates" in params:
        return {"templates": [{**params["templates"][0], "sha256": "c" * 64}]}
    if "cards" in params:
        return {**params, "cards": params["cards"] + 1}
    if "applications" in params:
        return {**params, "applications": params["applications"] + 1}
    return {"recipient": str(STRANGERS_KEY.to_public())}
