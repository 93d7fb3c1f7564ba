"""The TLS front of compose, run by Debian's Caddy: HTTPS for each service, and the client's real address."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from deploy.local.ports import free_ports
from services.vault.people.pages.context import address_of
from shared.service import server_config
from shared.settings import ServiceSettings
from tests.support.waiting import block_until

CADDYFILE = Path("deploy/front/Caddyfile")
SERVICES = ("intake", "lottery", "vault")
AWAY = "notifier"
"""Service behind whose name nothing listens."""

OFFICE, HOME = "127.0.0.2", "127.0.0.1"
"""Addresses of two clients; the staff pages are open to the first."""

SECRET = "an-assertion-that-no-log-may-hold"


@dataclass
class Front:
    """Caddy with the shipped configuration. `direct`: port of the service itself."""

    http: int
    https: int
    direct: int
    trust: ssl.SSLContext
    log: Path

    def get(self, service: str, path: str = "/", *, client: str = OFFICE, **headers: str) -> httpx.Response:
        """Call a service by its name, from one of the machine's addresses."""
        name = f"{service}.localhost"
        transport = httpx.HTTPTransport(local_address=client, verify=self.trust)
        with httpx.Client(transport=transport, timeout=30) as http:
            return http.get(
                f"https://127.0.0.1:{self.https}{path}",
                headers={"host": f"{name}:{self.https}", **headers},
                extensions={"sni_hostname": name},
            )


def settings(*trusted: str) -> ServiceSettings:
    return ServiceSettings(
        amqp_url="amqp://none", mongo_url="mongodb://none", mongo_database="none", state_dir=Path("/nowhere"),
        service_keys_dir=Path("/nowhere"), trusted_proxies=trusted,
    )  # type: ignore[arg-type]  # fmt: skip


def service() -> FastAPI:
    """Return a service that says how it was called, as its limits and its pages see it."""
    app = FastAPI()

    @app.get("/")
    async def called(request: Request, answer: Response) -> dict[str, str | None]:
        answer.headers["server"] = "a-service"
        return {
            "client": address_of(request), "scheme": request.url.scheme, "host": request.headers.get("host"),
        }  # fmt: skip

    return app


@contextmanager
def serving() -> Iterator[int]:
    """Serve the service as processes do, with a front at the loopback address; yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(server_config(service(), settings(HOME)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    program = shutil.which("caddy")
    assert program is not None, "the test of the TLS front needs Debian's caddy; ./kuji test installs it"
    folder = tmp_path_factory.mktemp("front")
    http, https, approve, health, nothing = free_ports(5)
    with serving() as direct, (folder / "log").open("wb") as log:
        text = CADDYFILE.read_text("utf-8").replace("127.0.0.1:8081", f"127.0.0.1:{health}")
        for name in (*SERVICES, AWAY):
            text = text.replace(f"{name}:8100", f"127.0.0.1:{nothing if name == AWAY else direct}")
        (folder / "Caddyfile").write_text(text, "utf-8")
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder), "KUJI_TLS": "internal",
            "KUJI_LISTEN_HTTP": str(http), "KUJI_LISTEN_HTTPS": str(https), "KUJI_DOMAIN": "localhost",
            "KUJI_LISTEN_APPROVE": str(approve), "KUJI_STAFF_NETWORKS": f"{OFFICE}/32 10.0.0.0/8",
        }  # fmt: skip
        command = [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
        caddy = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            root = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
            block_until(lambda: _is_up(health) and root.exists())
            trust = ssl.create_default_context(cafile=str(root))
            running = Front(http, https, direct, trust, folder / "log")
            block_until(lambda: _has_certificates(running))
            yield running
        finally:
            caddy.terminate()
            caddy.wait(30)


def _is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=5).status_code == 204
    except httpx.TransportError:
        return False


def _has_certificates(front: Front) -> bool:
    """Return True once Caddy's own authority has made the certificates of all names."""
    try:
        return all(front.get(name).status_code for name in (*SERVICES, AWAY))
    except httpx.TransportError:
        return False


def test_every_service_has_a_name_of_its_own_over_https(front: Front) -> None:
    for name in SERVICES:
        answer = front.get(name)
        assert answer.json() == {"client": OFFICE, "scheme": "https", "host": f"{name}.localhost:{front.https}"}
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert "server" not in answer.headers


def test_http_leads_to_https(front: Front) -> None:
    answer = httpx.get(f"http://127.0.0.1:{front.http}/sign-in", headers={"host": "vault.localhost"}, timeout=30)
    assert answer.status_code == 308
    assert answer.headers["location"] == "https://vault.localhost/sign-in"


def test_a_client_does_not_choose_the_address_by_which_limits_count_it(front: Front) -> None:
    claimed = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "http", "forwarded": "for=203.0.113.9"}
    assert front.get("vault", **claimed).json()["client"] == OFFICE
    assert front.get("intake", client=HOME, **claimed).json()["client"] == HOME
    assert front.get("intake", **claimed).json()["scheme"] == "https"


def test_a_service_believes_the_front_only(front: Front) -> None:
    claimed = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    for client, believed in ((OFFICE, False), (HOME, True)):
        with httpx.Client(transport=httpx.HTTPTransport(local_address=client), timeout=30) as http:
            seen = http.get(f"http://127.0.0.1:{front.direct}/", headers=claimed).json()
        assert (seen["client"] == "203.0.113.9") is believed
        assert (seen["scheme"] == "https") is believed
    assert not server_config(service(), settings()).proxy_headers


def test_pages_of_staff_answer_to_the_networks_of_the_office_only(front: Front) -> None:
    assert front.get("vault", client=HOME).status_code == front.get(AWAY, client=HOME).status_code == 403
    assert front.get("intake", client=HOME).status_code == front.get("lottery", client=HOME).status_code == 200


def test_no_log_of_the_front_holds_an_address_that_was_asked_for(front: Front) -> None:
    assert front.get(AWAY, f"/signed-in?assertion={SECRET}").status_code == 502
    assert SECRET not in front.log.read_text("utf-8")
