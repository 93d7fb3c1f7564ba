"""RabbitMQ and MongoDB under TLS with certificates of an installation's authority; both sides show one (R-S8)."""

import asyncio
import gc
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.compose import tls
from deploy.local.authority import Authority
from deploy.local.mongodb import MongoDB, require_mongod
from deploy.local.paths import ROOT, STATE
from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog, await_port
from deploy.local.rabbitmq import Ports, RabbitMQ
from services.notifier.settings import NotifierSettings
from shared.contracts import SERVICES
from shared.errors import ConfigurationError
from shared.messaging import BrokerUnavailableError
from shared.messaging.copies import CopiesCheck, Management
from shared.messaging.link import connect
from shared.messaging.names import Names
from shared.messaging.topology import declare
from shared.service import server_config
from shared.storage import Store
from shared.transport import check_servers, with_certificates


@dataclass
class Office:
    """Both servers under TLS, and the folder with everybody's certificates."""

    folder: Path
    broker: RabbitMQ
    database: MongoDB
    amqps: int
    management: int

    def settings(self, **changed: object) -> NotifierSettings:
        """Return the settings of the notifier."""
        own = self.folder / "notifier"
        values: dict[str, object] = {
            "amqp_url": SecretStr(f"amqps://admin:{self.broker.admin_password}@127.0.0.1:{self.amqps}/"),
            "mongo_url": SecretStr(
                f"mongodb://admin:{self.database.admin_password}@127.0.0.1:{self.database.port}/"
                "?replicaSet=kuji&authSource=admin&tls=true"
            ),
            "mongo_database": "tls_probe",
            "state_dir": self.folder,
            "service_keys_dir": self.folder,
            "tls_ca_file": own / "authority.crt",
            "tls_cert_file": own / "tls.pem",
        }
        return NotifierSettings(**{**values, **changed})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("tls")
    assert set(tls.make(folder)) == {"rabbitmq", "mongo", *SERVICES}
    mongo, amqps, management, *others = free_ports(7)
    config = folder / "mongo" / "mongod.conf"
    config.write_bytes(tls.mongod_settings(folder / "mongo" / "tls"))
    binary = require_mongod(STATE)
    settings = tls.rabbitmq_settings(folder / "rabbitmq" / "tls", f"127.0.0.1:{amqps}").decode()
    settings = settings.replace("listeners.tcp = none\n", "")  # the plain one stays on loopback: its port says "ready"
    settings += f"\nmanagement.ssl.ip = 127.0.0.1\nmanagement.ssl.port = {management}\n" + "".join(
        f"{line.replace('ssl_options', 'management.ssl')}\n"
        for line in settings.splitlines()
        if line.startswith("ssl_options.")
    )
    watchdog = Watchdog()
    broker = RabbitMQ(folder / "broker", Ports(*others), watchdog, more=settings)
    query = f"&{tls.mongo_query(folder / 'mongo' / 'tls')}"
    database = MongoDB(folder / "database", mongo, binary, watchdog, config=config, query=query)
    try:
        with ThreadPoolExecutor(2) as pool:
            for started in [pool.submit(start, each) for each in (broker, database)]:
                started.result()
        for port in (amqps, management):
            await_port(broker.children[-1], port, timeout_s=30)
        yield Office(folder, broker, database, amqps, management)
    finally:
        database.stop()
        broker.stop()
        watchdog.close()


def start(server: RabbitMQ | MongoDB) -> None:
    server.start()
    server.ready()


async def test_a_service_reaches_both_servers_by_tls_and_proves_who_it_is(office: Office) -> None:
    settings = with_certificates(office.settings())
    check_servers(settings)
    await declare(settings.amqp_url.get_secret_value(), "tls.")
    store = Store.open(settings.mongo_url.get_secret_value(), "tls_probe", timeout_s=10)
    assert await store.ping()
    await store.close()


async def test_the_copies_of_queues_are_read_by_tls_alone_with_the_same_certificates(office: Office) -> None:
    settings = with_certificates(office.settings())
    amqp = settings.amqp_url.get_secret_value()
    await declare(amqp, "copies.")
    seen = await Management.of(f"https://127.0.0.1:{office.management}", amqp, 20).queues()
    assert any(name.startswith("copies.") for name in seen)
    stranger = office.settings().amqp_url.get_secret_value()  # believes no authority but the system's
    with pytest.raises(BrokerUnavailableError, match="URLError"):
        await Management.of(f"https://127.0.0.1:{office.management}", stranger, 20).queues()
    with pytest.raises(ConfigurationError, match="in the clear"):
        CopiesCheck.of(
            settings.model_copy(update={"queue_status_url": f"http://127.0.0.1:{office.management}"}), Names(), []
        )


async def test_nobody_without_a_certificate_of_the_authority_is_let_in(office: Office) -> None:
    """Try it with the administrators' passwords and trust in the right authority."""
    foreign = office.folder / "foreign.pem"
    foreign.write_bytes(Authority.create("somebody else").issue(["notifier"]).both)
    ca = office.folder / "notifier" / "authority.crt"
    plain = office.settings()
    check_servers(office.settings())
    for own in ("", f"&certfile={foreign}&keyfile={foreign}"):
        with pytest.raises(OSError):  # noqa: PT011  (of the TLS library, of the connection, or of aiormq)
            await connect(f"{plain.amqp_url.get_secret_value()}?cafile={ca}{own}", "stranger", 10)
    await asyncio.to_thread(gc.collect)  # a refused connection is closed, not left to whichever thread collects it
    for own in ("", f"&tlsCertificateKeyFile={foreign}"):
        address = f"{plain.mongo_url.get_secret_value()}&tlsCAFile={ca}{own}"
        with MongoClient(address, serverSelectionTimeoutMS=1500) as client, pytest.raises(PyMongoError):
            client.admin.command("ping")
    with (
        MongoClient(office.database.url().partition("&tls=")[0], serverSelectionTimeoutMS=1500) as client,
        pytest.raises(PyMongoError),
    ):
        client.admin.command("ping")


def test_a_service_that_trusts_another_authority_says_so_at_its_start(office: Office) -> None:
    other = office.folder / "other.crt"
    other.write_bytes(Authority.create("somebody else").pem)
    with pytest.raises(ConfigurationError, match=r"RabbitMQ at 127.0.0.1:\d+ is not signed by the authority"):
        check_servers(office.settings(tls_ca_file=other))
    settings = office.settings(tls_ca_file=other)
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "KUJI_STATE_DIR": str(office.folder),
        "KUJI_SERVICE_KEYS_DIR": str(office.folder), "KUJI_TLS_CA_FILE": str(other),
        "KUJI_TLS_CERT_FILE": str(settings.tls_cert_file),
        "KUJI_AMQP_URL": settings.amqp_url.get_secret_value(), "KUJI_MONGO_URL": settings.mongo_url.get_secret_value(),
    }  # fmt: skip
    started = subprocess.run(
        [sys.executable, "-m", "services.notifier"],
        env=environment, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert started.returncode == 1
    assert "is not signed by the authority in KUJI_TLS_CA_FILE" in started.stderr
    assert office.broker.admin_password not in started.stderr


def test_a_server_under_another_name_or_with_an_expired_certificate_is_refused(office: Office) -> None:
    authority = Authority.read(
        *((office.folder / "authority" / name).read_bytes() for name in ("authority.crt", "authority.key"))
    )
    long_ago = datetime.now(UTC) - timedelta(days=500)
    for issued, says in (
        (authority.issue(["broker.example"]), "was made for another"),
        (authority.issue(["127.0.0.1"], starts=long_ago), "has expired: renew it"),
        (authority.issue(["127.0.0.1"], starts=datetime.now(UTC) + timedelta(days=1)), "is not valid yet"),
    ):
        (office.folder / "server.pem").write_bytes(issued.both)
        with (
            tls_server(office.folder / "server.pem") as port,
            pytest.raises(ConfigurationError, match=f"RabbitMQ at 127.0.0.1:{port} {says}"),
        ):
            check_servers(office.settings(amqp_url=SecretStr(f"amqps://a:b@127.0.0.1:{port}/")))


@contextmanager
def tls_server(certificate: Path) -> Iterator[int]:
    """Shake hands once with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            taken, _ = server.accept()
            with taken, pytest.raises(OSError):  # noqa: PT011  (the client leaves)
                context.wrap_socket(taken, server_side=True).recv(1)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def test_the_own_certificate_is_looked_at_before_anything_is_connected(office: Office) -> None:
    old = office.folder / "old.pem"
    long_ago = datetime.now(UTC) - timedelta(days=500)
    old.write_bytes(Authority.create().issue(["notifier"], starts=long_ago).both)
    refused: list[tuple[dict[str, object], str]] = [
        ({"tls_cert_file": old}, "KUJI_TLS_CERT_FILE has expired"),
        ({"tls_cert_file": None}, "KUJI_TLS_CERT_FILE is missing"),
        ({"tls_cert_file": office.folder / "absent.pem"}, "cannot be read as PEM"),
        ({"amqp_url": SecretStr("amqp://a:b@127.0.0.1/")}, "KUJI_AMQP_URL is not amqps"),
        ({"mongo_url": SecretStr("mongodb://a:b@127.0.0.1/?replicaSet=kuji")}, "KUJI_MONGO_URL lacks tls=true"),
        ({"tls_ca_file": None}, "need KUJI_TLS_CA_FILE"),
    ]
    for changed, says in refused:
        with pytest.raises(ConfigurationError, match=says) as refusal:
            with_certificates(office.settings(**changed))
        assert "a:b" not in str(refusal.value)


async def test_certificates_are_renewed_while_the_database_runs(office: Office) -> None:
    """Do what `./kuji compose init` does with a certificate that ends soon; then let MongoDB read it anew."""
    file = office.folder / "mongo" / "tls" / "tls.pem"
    authority = Authority.read(
        *((office.folder / "authority" / name).read_bytes() for name in ("authority.crt", "authority.key"))
    )
    before = file.read_bytes()
    file.write_bytes(authority.issue(["mongo", "localhost", "127.0.0.1"], life=timedelta(days=30)).both)
    assert tls.make(office.folder) == ["mongo"]
    assert tls.make(office.folder) == []
    assert file.read_bytes() != before
    with MongoClient[dict[str, object]](office.database.url()) as client:
        client.admin.command("rotateCertificates", 1)
    shown = ssl.get_server_certificate(("127.0.0.1", office.database.port))
    assert shown.strip() in file.read_text()
    check_servers(office.settings())


@pytest.mark.parametrize("mode", ["server", "mutual"])
async def test_a_front_on_another_host_reaches_a_service_by_tls(
    office: Office, mode: str, serving: Callable[[uvicorn.Config], str]
) -> None:
    app = FastAPI()
    app.get("/health")(lambda: "ok")
    address = serving(server_config(app, office.settings(http_tls=mode)))
    own = office.folder / "vault"
    trusting = ssl.create_default_context(cafile=own / "authority.crt")
    showing = ssl.create_default_context(cafile=own / "authority.crt")
    showing.load_cert_chain(own / "tls.pem")
    async with httpx.AsyncClient(verify=showing) as front:
        assert (await front.get(f"{address}/health")).json() == "ok"
    async with httpx.AsyncClient(verify=trusting) as stranger:
        if mode == "server":
            assert (await stranger.get(f"{address}/health")).is_success
            return
        with pytest.raises(httpx.TransportError):
            await stranger.get(f"{address}/health")


@pytest.fixture
def serving() -> Iterator[Callable[[uvicorn.Config], str]]:
    """Yield what serves a configuration and returns its address; at the end all are stopped."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def serve(config: uvicorn.Config) -> str:
        (port,) = free_ports(1)
        config.port, config.loaded = port, False
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        for _ in range(3000):
            if server.started:
                break
            thread.join(0.01)
        return f"https://127.0.0.1:{port}"

    yield serve
    for server, thread in running:
        server.should_exit = True
        thread.join(10)
