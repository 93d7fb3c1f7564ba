"""Two people agree to an act, each by own factors; the approval counts once, for exactly this act (R-S5, R-C6)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from deploy.people.passkey import SoftwarePasskey
from services.vault.approvals.repository import APPROVALS
from services.vault.approvals.subjects import PreviewText, Subjects
from services.vault.people.rules.account import StaffId
from shared.approvals import Act, ApprovalId, ApprovalKind, ApprovalRefusedError, read_approval
from shared.approvals.params import announcement_params
from shared.ids import CampaignId
from shared.json_types import JsonObject
from tests.support.people_harness import APPROVE, PASSWORD, VAULT, PeopleHarness, running
from tests.support.routes import routes_of

CAMPAIGN = CampaignId("777-days")
TEMPLATES = {"templates": [{"kind": "result", "channel": "mail", "sha256": "a" * 64}]}
RELEASE = {"kind": "release-templates", "campaign": CAMPAIGN, "params": {}, "reason": "first-release"}
ANNOUNCEMENT = {
    "kind": "release-notices", "campaign": CAMPAIGN, "reason": "announcement",
    "params": announcement_params("entrance-changed", None, {"entrance": "north"}, again=False),
}  # fmt: skip
ACT = Act(ApprovalKind.RELEASE_TEMPLATES, CAMPAIGN, TEMPLATES, "suzuki-01")


async def templates_now(_: CampaignId | None, __: JsonObject) -> JsonObject:
    return TEMPLATES


async def preview(_: CampaignId, __: JsonObject) -> list[PreviewText]:
    return [PreviewText("当選", "結果のお知らせ", "架空 花子 様")]


SUBJECTS = Subjects({ApprovalKind.RELEASE_TEMPLATES: templates_now}, {ApprovalKind.RELEASE_TEMPLATES: preview})


class Office:
    """A vault with a responsible handler and a ward's officer, each with a passkey."""

    def __init__(self, vault: PeopleHarness, responsible: AsyncClient, ward: AsyncClient) -> None:
        self.vault, self.responsible, self.ward = vault, responsible, ward
        self.keys: dict[AsyncClient, SoftwarePasskey] = {}

    async def add_passkey(self, browser: AsyncClient) -> None:
        key = self.keys[browser] = SoftwarePasskey("vault.localhost", VAULT)
        options = (await browser.post("/desk/me/passkeys/options", json={})).raise_for_status().json()
        (await browser.post("/desk/me/passkeys", json={"answer": key.register(options)})).raise_for_status()

    async def sign(self, browser: AsyncClient, approval: str) -> JsonObject:
        """Sign with the passkey; return the answer's JSON with its status."""
        options = (await browser.post(f"/v1/approvals/{approval}/challenge", json={})).raise_for_status().json()
        answer = {"passkey": self.keys[browser].sign(options)}
        signed = await browser.post(f"/v1/approvals/{approval}/signatures", json=answer)
        return {"status": signed.status_code, **signed.json()}

    async def requested(self, body: JsonObject = RELEASE) -> str:
        """Request as the responsible handler; return the number."""
        draft = (await self.responsible.post("/v1/approvals", json=body)).raise_for_status().json()
        approval = str(draft["document"]["id"])
        assert (await self.sign(self.responsible, approval))["state"] == "waiting"
        return approval

    async def approved(self, body: JsonObject = RELEASE) -> ApprovalId:
        approval = await self.requested(body)
        assert (await self.sign(self.ward, approval))["state"] == "approved"
        return ApprovalId(approval)

    async def execute(self, approval: ApprovalId, act: Act = ACT) -> str:
        """Execute in a transaction of its own; return who approved."""
        gate = self.vault.gate
        return (await self.vault.store.transact(lambda uow: gate.execute(uow, approval, act))).approved_by

    async def refusal(self, approval: ApprovalId, act: Act = ACT) -> str:
        with pytest.raises(ApprovalRefusedError) as refused:
            await self.execute(approval, act)
        return refused.value.reason


@asynccontextmanager
async def opened(mongo_url: str, namespace: str, folder: Path) -> AsyncIterator[Office]:
    async with running(mongo_url, namespace, folder, subjects=SUBJECTS) as vault:
        office = Office(vault, *await vault.set_up())
        for browser in (office.responsible, office.ward):
            await office.add_passkey(browser)
        yield office


@pytest.fixture
async def office(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(mongo_url, namespace, tmp_path) as made:
        yield made


async def test_an_approval_of_two_people_counts_once_and_for_its_act_alone(office: Office):
    approval = await office.approved()
    assert await office.refusal(approval, replace(ACT, kind=ApprovalKind.EXPORT)) == "other-kind"
    assert await office.refusal(approval, replace(ACT, campaign=CampaignId("another"))) == "other-campaign"
    changed = {"templates": [{**TEMPLATES["templates"][0], "sha256": "c" * 64}]}
    assert await office.refusal(approval, replace(ACT, params=changed)) == "other-params"
    assert await office.refusal(approval, replace(ACT, actor="mori-01")) == "other-person"
    assert await office.refusal(ApprovalId("a-" + "0" * 20)) == "unknown"
    assert await office.execute(approval) == "mori-01"
    assert await office.refusal(approval) == "used"


async def test_an_approval_that_waits_or_has_expired_allows_nothing(office: Office):
    approval = ApprovalId(await office.requested())
    assert await office.refusal(approval) == "not-approved"
    await office.sign(office.ward, approval)
    past = datetime.now(UTC) - timedelta(minutes=1)
    await office.vault.store.db[APPROVALS].update_one({"_id": approval}, {"$set": {"expires": past.isoformat()}})
    assert await office.refusal(approval) == "expired"


async def test_an_approval_used_twice_at_one_moment_counts_once(office: Office):
    approval = await office.approved()
    results = await asyncio.gather(*(office.execute(approval) for _ in range(4)), return_exceptions=True)
    assert sorted(map(str, results)) == ["approval refused: used"] * 3 + ["mori-01"]


async def test_the_act_and_its_approval_are_one_transaction(office: Office):
    approval = await office.approved()

    async def fail(uow: object) -> None:
        await office.vault.gate.execute(uow, approval, ACT)  # type: ignore[arg-type]
        raise LookupError("the act failed")

    with pytest.raises(LookupError):
        await office.vault.store.transact(fail)
    assert await office.execute(approval) == "mori-01"


async def test_nobody_approves_an_own_request_and_strangers_nothing(office: Office):
    approval = await office.requested()
    own = await office.sign(office.responsible, approval)
    assert (own["status"], own["type"]) == (403, "urn:kuji:problem:approval-not-the-second")
    async with office.vault.browser() as stranger:
        assert (await stranger.get("/v1/approvals")).status_code == 401
        assert (await stranger.post(f"/v1/approvals/{approval}/challenge", json={})).status_code == 401
    forged = await office.ward.post(
        f"/v1/approvals/{approval}/refusal", headers={"origin": "http://elsewhere.localhost"}
    )
    assert forged.status_code == 403


async def test_a_passkeys_answer_for_another_approval_or_person_or_used_before_signs_nothing(office: Office):
    first, second = await office.requested(), await office.requested()
    options = (await office.ward.post(f"/v1/approvals/{first}/challenge", json={})).json()
    answer = {"passkey": office.keys[office.ward].sign(options)}
    assert (await office.ward.post(f"/v1/approvals/{second}/signatures", json=answer)).status_code == 401
    options = (await office.ward.post(f"/v1/approvals/{second}/challenge", json={})).json()
    foreign = {"passkey": office.keys[office.responsible].sign(options)}
    assert (await office.ward.post(f"/v1/approvals/{second}/signatures", json=foreign)).status_code == 401
    signed_in = (await office.ward.post("/sign-in/passkey/options", json={})).json()
    of_sign_in = {"passkey": office.keys[office.ward].sign(signed_in)}
    assert (await office.ward.post(f"/v1/approvals/{second}/signatures", json=of_sign_in)).status_code == 401
    assert (await office.sign(office.ward, second))["state"] == "approved"


async def test_the_whole_assertion_is_kept_and_password_and_code_are_recorded_as_such(office: Office):
    approval = await office.requested()
    form = {"password": PASSWORD, "code": await office.vault.fresh_code("mori-01")}
    wrong = await office.ward.post(f"/approve/{approval}/sign", data={**form, "password": "not this one, at all"})
    assert (wrong.status_code, "どれかが正しくありません" in wrong.text) == (409, True)
    assert (await office.ward.post(f"/approve/{approval}/sign", data=form)).status_code == 303
    stored = await office.vault.approvals.approvals.find(approval)
    assert stored is not None
    assert stored.request is not None
    assert stored.request.assertion is not None
    assert set(stored.request.assertion["response"]) >= {"clientDataJSON", "authenticatorData", "signature"}
    assert len(stored.request.nonce or b"") == 32
    assert stored.signatures[0].method == "password+totp"


async def test_a_request_that_nobody_on_duty_can_approve_is_refused_with_the_missing_role(office: Office):
    stored = await office.vault.people.accounts.find(StaffId("mori-01"))
    assert stored is not None
    left = replace(stored.account, ends=stored.account.starts)
    await office.vault.store.transact(lambda uow: office.vault.people.accounts.replace(uow, left))
    refused = await office.responsible.post("/v1/approvals", json=RELEASE)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:kuji:problem:approval-nobody-can-approve")
    assert refused.json()["missing_roles"] == [["handler", "responsible", "ward"]]


async def test_only_listed_reasons_parameters_and_kinds_are_requested(office: Office):
    for change, status in (
        ({"reason": "because"}, 409),
        ({"kind": "open-people"}, 409),
        ({"kind": "export", "reason": "ward-asked"}, 409),
        ({**ANNOUNCEMENT, "params": {"again": True, "note": "髙﨑 花子"}}, 422),
    ):
        assert (await office.responsible.post("/v1/approvals", json={**RELEASE, **change})).status_code == status
    assert (await office.ward.post("/v1/approvals", json=ANNOUNCEMENT)).status_code == 403


async def test_another_service_verifies_the_executed_document_offline(office: Office):
    approval = await office.approved(ANNOUNCEMENT)
    assert (await office.ward.post(f"/v1/approvals/{approval}/document", json={})).status_code == 403
    document = (await office.responsible.post(f"/v1/approvals/{approval}/document", json={})).json()
    assert (await office.responsible.post(f"/v1/approvals/{approval}/document", json={})).json() == document
    shown = await office.responsible.post(f"/approve/{approval}/document")
    assert (shown.status_code, document["signature"] in shown.text) == (200, True)
    assert (await office.ward.post(f"/approve/{approval}/document")).status_code == 409
    content = read_approval(
        document,
        kind=ApprovalKind.RELEASE_NOTICES,
        campaign=CAMPAIGN,
        params=ANNOUNCEMENT["params"],
        actor="suzuki-01",
        vault_public_key=office.vault.keystore.signing.public,
        now=datetime.now(UTC),
    )
    assert (content.id, content.requested_by) == (approval, "suzuki-01")


async def test_a_refused_or_withdrawn_request_allows_nothing(office: Office):
    refused, withdrawn = await office.requested(), await office.approved()
    assert (await office.ward.post(f"/approve/{refused}/refuse")).status_code == 303
    assert (await office.responsible.post(f"/v1/approvals/{withdrawn}/refusal", json={})).json()["state"] == "withdrawn"
    assert await office.refusal(ApprovalId(refused)) == "not-approved"
    assert await office.refusal(withdrawn) == "not-approved"


async def test_pages_show_counts_and_previews_of_invented_people_and_the_number_that_waits(office: Office):
    approval = await office.requested()
    listed = (await office.ward.get("/approve")).text
    assert "あなたの承認待ち1件" in listed
    assert f"/approve/{approval}" in listed
    shown = (await office.ward.get(f"/approve/{approval}")).text
    assert "架空 花子 様" in shown
    assert "a" * 16 in shown
    form = {**{name: str(value) for name, value in RELEASE.items()}, "params": "{}", "password": PASSWORD}
    code = await office.vault.fresh_code("suzuki-01")
    made = await office.responsible.post("/approve/new", data={**form, "code": code})
    assert made.status_code == 303, made.text
    assert (await office.responsible.get(made.headers["location"])).status_code == 200
    assert (await office.responsible.get("/en/approve/new?kind=release-templates")).status_code == 200
    assert (await office.responsible.get("/approve/a-nothing")).status_code == 404


async def test_each_step_is_a_line_of_the_audit_log(office: Office):
    approval = await office.approved()
    await office.execute(approval)
    lines = [json.loads(line) for line in await office.vault.audit.lines(0)]
    steps = [(line["action"].partition(":")[0], line["actor"]) for line in lines if approval in line["action"]]
    assert steps == [
        ("request-approval", "suzuki-01"), ("approve-approval", "mori-01"), ("execute-approval", "suzuki-01"),
    ]  # fmt: skip


async def test_the_listener_of_the_ward_approves_and_has_no_route_to_a_person(office: Office):
    approval = await office.requested()
    headers = {"origin": APPROVE}
    async with AsyncClient(
        transport=ASGITransport(office.vault.listener), base_url=APPROVE, headers=headers, cookies=office.ward.cookies
    ) as ward:
        assert approval in (await ward.get("/approve")).text
        for path in ("/desk/people", "/v1/campaigns/777-days/held", "/v1/audit", "/v1/people/first", "/desk/terminal"):
            assert (await ward.get(path)).status_code == 404, path
        form = {"password": PASSWORD, "code": await office.vault.fresh_code("mori-01")}
        assert (await ward.post(f"/approve/{approval}/sign", data=form)).status_code == 303
    assert await office.execute(ApprovalId(approval)) == "mori-01"
    paths = {path for _, path in routes_of(office.vault.listener)}
    assert "/approve" in paths
    assert not [path for path in paths if "campaign" in path or "people" in path]
