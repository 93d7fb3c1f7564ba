"""Start an intake behind a real socket, with a breakable connection to each server and the vault's messages."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
import uvicorn

from services.intake.app import build
from services.intake.settings import IntakeSettings
from shared.campaign import Campaign, load_campaign
from shared.clock import set_rehearsal_clock
from shared.ids import ApplicationId, new_application_id
from shared.storage import Store
from tests.support.databases import own_database
from tests.support.namespaces import declare_queues, leave_queues, lend_namespace
from tests.support.staff_sign_in import ORIGINS, sign_in_at
from tests.support.tcp_proxy import TcpProxy
from tests.support.vault_messages import CAMPAIGN, VaultSide, connected, proof_digest_of, proof_of
from tests.support.waiting import until

PAPER_TOKEN = "fax-host-of-the-tests"
LOTTERY = "http://lottery.localhost:8103"
SAMPLE = Path("deploy/campaigns/777-days.yaml")


@dataclass(frozen=True)
class Intake:
    """Running intake with its servers and the vault's side."""

    http: httpx.AsyncClient
    url: str
    campaign: Campaign
    clock_file: Path
    broker: TcpProxy
    database: TcpProxy
    store: Store
    vault: VaultSide
    staff: dict[str, str]
    """Headers of a handler who signed in."""

    def body(self, application_id: ApplicationId | None = None, **changes: Any) -> dict[str, Any]:
        application_id = application_id or new_application_id()
        sealed = self.vault.key().seal(application_id, b'{"v":2}')
        return {
            "v": 2,
            "application_id": application_id,
            "key_id": "k1",
            "sealed": sealed,
            "proof_sha256": proof_digest_of(application_id),
        } | changes

    async def post(self, body: object) -> httpx.Response:
        return await self.http.post(f"/v1/campaigns/{CAMPAIGN}/applications", json=body)

    async def apply(self) -> tuple[ApplicationId, dict[str, Any]]:
        """Send an application; return its id and its receipt document."""
        body = self.body()
        answer = await self.post(body)
        assert answer.status_code == 202, answer.text
        return body["application_id"], answer.json()

    def correction(self, application_id: ApplicationId, sealed_for: int = 2, **changes: Any) -> dict[str, Any]:
        """Return the body of a correction; it does not name its version, as protocol allows."""
        sealed = self.vault.key().seal(application_id, b'{"v":2,"corrected":true}', sealed_for)
        return {"v": 2, "key_id": "k1", "sealed": sealed, "proof": proof_of(application_id)} | changes

    async def correct(self, application_id: str, body: object) -> httpx.Response:
        return await self.http.post(f"/v1/applications/{application_id}/versions", json=body)

    async def status(self, application_id: str) -> httpx.Response:
        return await self.http.get(f"/v1/applications/{application_id}")

    async def summary(self) -> dict[str, Any]:
        answer = await self.http.get(f"/v1/campaigns/{CAMPAIGN}/summary", headers=self.staff)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def has_key(self, key_id: str = "k1") -> bool:
        answer = await self.http.get(f"/v1/campaigns/{CAMPAIGN}/sealing-key")
        return answer.status_code == 200 and answer.json()["key_id"] == key_id

    def jump(self, to: datetime) -> None:
        set_rehearsal_clock(self.clock_file, to)


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield a namespace whose collections and queues the tests of a file use one after another."""
    with lend_namespace(request) as name:
        yield name


@pytest.fixture
def campaigns_dir(tmp_path: Path) -> Path:
    """Write the sample campaign as a rehearsal; return its folder."""
    folder = tmp_path / "campaigns"
    folder.mkdir()
    text = SAMPLE.read_text("utf-8").replace("rehearsal: false\n", "")
    (folder / "777-days.yaml").write_text(f"{text}\nrehearsal: true\n", "utf-8")
    return folder


@pytest.fixture
def settings(tmp_path: Path, campaigns_dir: Path, amqp_url: str, mongo_url: str, namespace: str) -> IntakeSettings:
    (tmp_path / "paper-token").write_text(PAPER_TOKEN, "utf-8")
    campaign = load_campaign(campaigns_dir / "777-days.yaml")
    set_rehearsal_clock(tmp_path / "clock.json", campaign.window.opens)
    return IntakeSettings.model_validate(
        {
            "amqp_url": amqp_url,
            "mongo_url": mongo_url,
            "mongo_database": f"{namespace}_intake",
            "namespace": namespace,
            "campaigns_dir": campaigns_dir,
            "state_dir": tmp_path,
            "origins": {**ORIGINS, "lottery": LOTTERY},
            "applications_per_minute": 0,
            "lookups_per_minute": 0,
            "work_bits": 0,
            "signing_key_file": tmp_path / "signing-key",
            "paper_token_file": tmp_path / "paper-token",
            "clock_file": tmp_path / "clock.json",
            "timeout_s": 3.0,
            "body_timeout_s": 2.0,
            "watch_s": 0.1,
        }
    )


@asynccontextmanager
async def serving(settings: IntakeSettings) -> AsyncIterator[str]:
    """Run an instance behind a real socket; yield its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build(settings), log_config=None, lifespan="on"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until(lambda: server.started or task.done())
        assert server.started, "intake did not start"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


def through(url: str, port: int) -> str:
    """Return the server's URL with a port of this machine in its place."""
    parts = urlsplit(url)
    credentials = parts.netloc.rpartition("@")[0]
    location = f"{credentials}@127.0.0.1:{port}" if credentials else f"127.0.0.1:{port}"
    return urlunsplit((parts.scheme, location, parts.path, parts.query, parts.fragment))


def direct(mongo_url: str) -> str:
    """Return the URL without discovery, which would bypass the breakable connection."""
    parts = urlsplit(mongo_url)
    options = [each for each in parts.query.split("&") if each and not each.startswith(("replicaSet", "directConn"))]
    return urlunsplit(
        (parts.scheme, parts.netloc, parts.path, "&".join([*options, "directConnection=true"]), parts.fragment)
    )


@pytest.fixture
async def intake(settings: IntakeSettings, amqp_url: str, mongo_url: str, namespace: str) -> AsyncIterator[Intake]:
    broker, database = urlsplit(amqp_url), urlsplit(mongo_url)
    async with AsyncExitStack() as stack:
        await declare_queues(amqp_url, namespace)
        stack.push_async_callback(leave_queues, amqp_url, namespace)
        store = await stack.enter_async_context(own_database(mongo_url, settings.mongo_database))
        broker_connection = stack.enter_context(TcpProxy(broker.hostname or "", broker.port or 5672))
        database_connection = stack.enter_context(TcpProxy(database.hostname or "", database.port or 27017))
        connection = await connected(amqp_url)
        stack.push_async_callback(connection.close)
        wired = settings.model_validate(
            settings.model_dump()
            | {
                "amqp_url": through(amqp_url, broker_connection.port),
                "mongo_url": direct(through(mongo_url, database_connection.port)),
            }
        )
        vault = await VaultSide.connect(connection, namespace)
        await vault.publish_key()
        (settings.state_dir / "signing-key").write_text(vault.signing.public, "ascii")
        async with serving(wired) as url, httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
            campaign = load_campaign(settings.campaigns_dir / "777-days.yaml")
            clock, staff = settings.clock_file or Path(), await sign_in_at(store, "intake")
            running = Intake(http, url, campaign, clock, broker_connection, database_connection, store, vault, staff)
            await until(running.has_key)
            yield running
        gc.collect()  # cut connections are finalised now, while there is an event loop
        await asyncio.sleep(0.05)
