"""Close-out over HTTP of a real vault process that is killed again and again during the erasure."""

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pypdfium2
import pyrage
import pytest

from deploy.local.ports import free_ports
from services.vault.approvals import repository as approval_repository
from services.vault.closeout.rules.certificate import verify_certificate
from services.vault.closeout.rules.required_stores import OTHER_SERVICES
from services.vault.identities.person import Person
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from shared.approvals import ApprovalId, ApprovalKind
from shared.canonical import canonical
from shared.contracts import ErasureRequested, NoticeDocument, PrintCompleted, PrintRequested
from shared.contracts.base import Event
from shared.ids import BatchId, CampaignId, NoticeId
from shared.messaging import Bus
from shared.messaging.topology import declare
from shared.settings import ServiceSettings
from shared.staff_roles import Role
from shared.storage import Store
from tests.support.closeout_harness import answer_of, code_in
from tests.support.databases import own_database
from tests.support.planted_approvals import plant_approval
from tests.support.staff_sign_in import ORIGINS, sign_in_at_vault
from tests.support.vault_parts import Known, Parts, parts

ROOT = Path(__file__).resolve().parents[3]
PASSPHRASE = "a passphrase of the tests"
PEOPLE = [
    Person(f"髙﨑 花子{number}号", "1600021", f"新宿区歌舞伎町1-4-{number}", f"03{number:08}", 34, None, None, None)
    for number in range(1, 301)
]


@dataclass
class Vault:
    """A vault process that can be killed and started again, and its neighbours, who listen to it."""

    environment: dict[str, str]
    root: str
    http: httpx.AsyncClient
    store: Store
    staff: dict[str, str]
    ward: dict[str, str]
    neighbours: dict[str, Bus]
    consumed: list[Event] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.vault",
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(120):
            while not await self._ready():
                assert self.process.returncode is None, "the vault ended while starting"
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(f"{self.root}/{path}", headers=self.staff)

    async def post(self, path: str, body: dict[str, Any], staff: dict[str, str] | None = None) -> httpx.Response:
        return await self.http.post(f"{self.root}/{path}", json=body, headers=staff or self.staff)

    async def approval(self, kind: ApprovalKind, params: dict[str, Any]) -> ApprovalId:
        """Return the number of an approval that the handler requested and all others gave."""
        return await plant_approval(self.store, kind, self.root.rpartition("/")[2], params)

    async def state(self) -> str:
        return str((await self.get("erasure")).json()["state"])

    async def certified(self) -> None:
        """Until there is a certificate."""
        async with asyncio.timeout(200):
            while await self.state() != "certified":  # noqa: ASYNC110  (the other side is another process)
                await asyncio.sleep(0.05)

    async def hears(self, kind: type[Event]) -> Event:
        """Return the first event of this type that the neighbour consumed."""
        async with asyncio.timeout(120):
            while True:
                for event in self.consumed:
                    if isinstance(event, kind):
                        return event
                await asyncio.sleep(0.02)

    async def _ready(self) -> bool:
        try:
            return (await self.http.get("/health/ready")).status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture
async def filled(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[tuple[Parts, list[Known]]]:
    """Prepare the database and the keys as they are after the applications arrived."""
    async with parts(mongo_url, namespace, tmp_path, []) as vault:
        yield vault, await vault.admit(PEOPLE)


@pytest.fixture
async def vault(
    filled: tuple[Parts, list[Known]], amqp_url: str, mongo_url: str, namespace: str, tmp_path: Path
) -> AsyncIterator[Vault]:
    await declare(amqp_url, namespace)
    (tmp_path / "passphrase").write_text(PASSPHRASE, "utf-8")
    store, keystore = filled[0].store, filled[0].keystore
    await store.ensure(approval_repository.collections())
    staff = await sign_in_at_vault(store, keystore, "handler-1", {Role.HANDLER})
    ward = await sign_in_at_vault(store, keystore, "ward-1", {Role.WARD})
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "some.log").write_bytes(b'{"event":"batch-printed"}\n' * 200_000)
    (port,) = free_ports(1)
    environment = _environment(tmp_path, port, amqp_url, mongo_url, namespace)
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http,
        neighbour(amqp_url, mongo_url, namespace, tmp_path) as (buses, consumed),
    ):
        root = f"/v1/campaigns/{filled[0].campaign.id}"
        running = Vault(environment, root, http, store, staff, ward, buses, consumed)
        await running.start()
        try:
            yield running
        finally:
            await running.kill()


def _environment(folder: Path, port: int, amqp_url: str, mongo_url: str, namespace: str) -> dict[str, str]:
    return {
        "KUJI_AMQP_URL": amqp_url,
        "KUJI_MONGO_URL": mongo_url,
        "KUJI_MONGO_DATABASE": f"{namespace}_vault",
        "KUJI_NAMESPACE": namespace,
        "KUJI_STATE_DIR": str(folder),
        "KUJI_KEYSTORE_DIR": str(folder / "keys"),
        "KUJI_PASSPHRASE_FILE": str(folder / "passphrase"),
        "KUJI_ORIGINS": json.dumps(ORIGINS),
        "KUJI_HTTP_PORT": str(port),
        "KUJI_LOG_SCAN_DIRS": json.dumps([str(folder / "logs")]),
        "KUJI_CLOSE_OUT_WATCH_S": "0.05",
    }


@asynccontextmanager
async def neighbour(
    amqp_url: str, mongo_url: str, namespace: str, folder: Path
) -> AsyncIterator[tuple[dict[str, Bus], list[Event]]]:
    """Run the notifier's side of the erasure, and give the other services' ways to publish."""
    settings = ServiceSettings.model_validate(
        {"amqp_url": amqp_url, "mongo_url": mongo_url, "mongo_database": f"{namespace}_notifier"}
        | {"namespace": namespace, "state_dir": folder}
    )
    consumed: list[Event] = []

    async def hear(events: Any, _: Any) -> None:
        consumed.extend(events)

    async with own_database(mongo_url, f"{namespace}_notifier") as store:
        await store.ensure()
        buses = {service: Bus(settings, service, store) for service in OTHER_SERVICES}
        buses["notifier"].consume(ErasureRequested, hear)
        buses["notifier"].consume(PrintCompleted, hear)
        async with AsyncExitStack() as stack:
            for bus in buses.values():
                await stack.enter_async_context(bus)
            yield buses, consumed


async def give_back(vault: Vault) -> bytes:
    """Fix the ward's key, make the package, and confirm it as the ward; return what is in it."""
    ward = pyrage.x25519.Identity.generate()
    key = {"recipient": str(ward.to_public())}
    campaign = vault.root.rpartition("/")[2]
    fixed = await plant_approval(vault.store, ApprovalKind.WARD_KEY, campaign, key, "ward-1")
    (await vault.post("ward-key", {**key, "approval": fixed}, vault.ward)).raise_for_status()
    approval = await vault.approval(ApprovalKind.RETURN_PACKAGE, {**key, "applications": len(PEOPLE)})
    made = (await vault.post("return-package", {"approval": approval})).raise_for_status().json()
    package = (await vault.get(f"return-package/{made['id']}")).raise_for_status().content
    opened = bytes(pyrage.decrypt(package, [ward]))
    body = {"sha256": hashlib.sha256(package).hexdigest(), "code": code_in(opened)}
    (await vault.post("return-confirmation", body, vault.ward)).raise_for_status()
    return opened


async def order(vault: Vault) -> httpx.Response:
    """Order the erasure with an approval for the package that was confirmed."""
    package = await vault.store.db["closeouts"].find_one({}, {"package.sha256": 1}) or {}
    params = {
        "package_sha256": package.get("package", {}).get("sha256", "0" * 64),
        "applications": await vault.store.db["applications"].count_documents({}),
    }
    approval = await vault.approval(ApprovalKind.ERASE_CAMPAIGN, params)
    return await vault.post("erasure", {"approval": approval, "campaign_typed": vault.root.rpartition("/")[2]})


async def answer(vault: Vault, asked: ErasureRequested) -> None:
    """Publish the answers of the three other services, for both phases, each signed by its own service."""
    for service in OTHER_SERVICES:
        for phase in ("erased", "measured"):
            await vault.neighbours[service].publish(
                answer_of(service, phase, campaign=asked.campaign, erasure_id=asked.erasure_id)
            )


async def test_an_erasure_survives_being_killed_again_and_again(
    vault: Vault, filled: tuple[Parts, list[Known]], tmp_path: Path
) -> None:
    assert len(await give_back(vault)) > 10_000
    assert (await order(vault)).status_code == 202
    for seconds in (0.0, 0.3, 0.6):
        await asyncio.sleep(seconds)
        await vault.kill()
        await vault.start()
    asked = await vault.hears(ErasureRequested)
    assert isinstance(asked, ErasureRequested)
    await answer(vault, asked)
    await vault.certified()
    public = (await vault.http.get("/v1/signing-key")).json()["public_key"]
    certificate = (await vault.get("certificate")).content
    assert [check.name for check in verify_certificate(certificate, public) if not check.passed] == []
    assert json.loads(certificate)["verdict"] == "PASS"
    counted = {row["store"]: row for row in json.loads(certificate)["services"] if row["service"] == "vault"}
    assert (counted["identities"]["before"], counted["identities"]["after"]) == (len(PEOPLE), 0)
    with pytest.raises(KeyDestroyedError):
        Keystore.open(tmp_path / "keys", PASSPHRASE).campaign(filled[0].campaign.id)
    with pypdfium2.PdfDocument((await vault.get("certificate.pdf")).content) as page:
        assert bytes(page.get_attachment(0).get_data()) == certificate
    requests = [event for event in vault.consumed if isinstance(event, ErasureRequested)]
    assert [request.phase for request in requests] == ["erased", "measured"]


async def test_after_the_certificate_endpoints_answer_erased_and_a_second_order_changes_nothing(vault: Vault) -> None:
    await give_back(vault)
    await order(vault)
    asked = await vault.hears(ErasureRequested)
    assert isinstance(asked, ErasureRequested)
    await answer(vault, asked)
    await vault.certified()
    certificate = (await vault.get("certificate")).content
    assert (await order(vault)).json()["state"] == "certified"
    assert (await vault.get("certificate")).content == certificate
    assert (await vault.get("print-batches")).json() == {"batches": [], "next": None}


async def test_the_endpoints_of_the_close_out_refuse_a_step_that_is_not_due(vault: Vault) -> None:
    early = await order(vault)
    assert (early.status_code, early.json()["type"]) == (409, "urn:kuji:problem:return-not-confirmed")
    assert (await vault.get("certificate")).json()["type"] == "urn:kuji:problem:no-certificate"
    named = await vault.post("erasure", {"approval": "髙﨑 花子", "campaign_typed": "777-days"})
    assert named.status_code == 422
    assert "髙﨑" not in named.text
    assert (await vault.http.get(f"{vault.root}/certificate")).status_code == 401


async def test_pages_ordered_over_the_broker_are_printed_and_reported(
    vault: Vault, filled: tuple[Parts, list[Known]]
) -> None:
    parts_, known = filled
    named = {"kind": "entrance-changed", "channel": "card"}
    looked_at = (await vault.get("notice-templates/entrance-changed/card")).raise_for_status().json()["sha256"]
    approval = await vault.approval(ApprovalKind.RELEASE_TEMPLATES, {"templates": [{**named, "sha256": looked_at}]})
    released = await vault.post("notice-templates/releases", {"approval": approval, "templates": [named]})
    assert released.status_code == 200
    items = tuple(_order(each, number) for number, each in enumerate(known[:100]))
    batch = BatchId("batch-1")
    await vault.neighbours["notifier"].publish(PrintRequested(campaign=parts_.campaign.id, batch_id=batch, items=items))
    done = await vault.hears(PrintCompleted)
    assert isinstance(done, PrintCompleted)
    assert (done.pages, len(done.printed), done.failed) == (200, 100, ())
    digest = hashlib.sha256(canonical(list(done.printed))).hexdigest()
    approval = await vault.approval(ApprovalKind.PRINT_PDF, {"batch": batch, "cards": 100, "sha256": digest})
    path = f"print-batches/{batch}/pdf"
    assert (await vault.post(path, {"approval": "a-" + "0" * 20})).status_code == 409
    pdf = (await vault.post(path, {"approval": approval})).raise_for_status().content
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 200
    document.close()


def _order(known: Known, number: int) -> NoticeDocument:
    """Return the order of an announcement's card."""
    return NoticeDocument(
        notice=NoticeId(f"n-{number:020x}"),
        campaign=CampaignId("777-days"),
        kind="entrance-changed",
        channel="card",
        attempt=1,
        n=1,
        token=known.token,
        params={"entrance": "north"},
    )
