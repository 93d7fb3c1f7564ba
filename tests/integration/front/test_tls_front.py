"""The TLS front of compose, run by Debian's Caddy: HTTPS for each service, and the client's real address."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

from deploy.local.ports import free_ports
from deploy.people.passkey import SoftwarePasskey
from shared.service import server_config
from shared.web.health import health_router
from tests.support.people_harness import PeopleHarness, running
from tests.support.said_caller import frozen, service, serving, settings
from tests.support.tls_front import HOME, OFFICE, Front, running_front
from tests.support.waiting import block_until, until

SERVICES = ("intake", "lottery", "vault")
AWAY = "notifier"
"""Service behind whose name nothing listens."""

SECRET = "an-assertion-that-no-log-may-hold"


@dataclass
class Calls:
    """The front, and the port of the service itself."""

    front: Front
    direct: int


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calls]:
    (nothing,) = free_ports(1)
    with serving() as direct:
        upstreams = {**dict.fromkeys(SERVICES, direct), AWAY: nothing}
        with running_front(tmp_path_factory.mktemp("front"), upstreams) as front:
            yield Calls(front, direct)


@pytest.fixture
def front(calls: Calls) -> Front:
    return calls.front


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


def test_a_service_believes_the_front_only(calls: Calls) -> None:
    claimed = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    for client, believed in ((OFFICE, False), (HOME, True)):
        with httpx.Client(transport=httpx.HTTPTransport(local_address=client), timeout=30) as http:
            seen = http.get(f"http://127.0.0.1:{calls.direct}/", headers=claimed).json()
        assert (seen["client"] == "203.0.113.9") is believed
        assert (seen["scheme"] == "https") is believed
    assert not server_config(service(), settings()).proxy_headers


def test_pages_of_staff_answer_to_the_networks_of_the_office_only(front: Front) -> None:
    assert front.get("vault", client=HOME).status_code == front.get(AWAY, client=HOME).status_code == 403
    assert front.get("intake", client=HOME).status_code == front.get("lottery", client=HOME).status_code == 200


def test_no_log_of_the_front_holds_an_address_that_was_asked_for(front: Front) -> None:
    assert front.get(AWAY, f"/signed-in?assertion={SECRET}").status_code in {502, 503}
    assert SECRET not in front.log.read_text("utf-8")


def all_answered(front: Front, requests: int) -> bool:
    """Return True if none of these requests waits for an instance that answers none."""
    try:
        return all(front.get("lottery", timeout_s=2).status_code == 200 for _ in range(requests))
    except httpx.TimeoutException:
        return False


def test_an_instance_that_hangs_gets_no_requests(tmp_path: Path) -> None:
    """Freeze one of two instances: it takes connections, so that nothing is refused, and answers none."""
    with frozen() as stuck, serving() as alive, serving() as other:
        upstreams = {"lottery": alive, "intake": other, "vault": other, AWAY: other}
        with running_front(tmp_path, upstreams, seconds={"lottery": stuck}) as front:
            block_until(lambda: all_answered(front, 20), timeout_s=30)
            assert all_answered(front, 20)


@asynccontextmanager
async def vault_behind(mongo_url: str, namespace: str, folder: Path) -> AsyncIterator[tuple[PeopleHarness, Front]]:
    """Serve the vault's pages of people behind a front."""
    (https,) = free_ports(1)
    origins = {name: f"https://{name}.localhost:{https}" for name in ("vault", "lottery")}
    async with running(mongo_url, namespace, folder, origins) as vault, AsyncExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        vault.app.include_router(health_router({}))
        config = server_config(vault.app, settings(HOME))
        config.lifespan = "off"
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await until(lambda: server.started)
            upstreams = dict.fromkeys((*SERVICES, AWAY), int(listener.getsockname()[1]))
            starting = running_front(folder, upstreams, https)
            front = await asyncio.to_thread(starting.__enter__)
            stack.callback(starting.__exit__, None, None, None)
            yield vault, front
        finally:
            server.should_exit = True
            await task


async def test_behind_the_front_cookies_are_bound_to_the_host_and_passkeys_work(
    mongo_url: str, namespace: str, tmp_path: Path
) -> None:
    async with vault_behind(mongo_url, namespace, tmp_path) as (vault, front), front.browser("vault") as browser:
        signed_in = await vault.accept(browser, "suzuki-01", (await vault.first())["responsible"])
        cookies = signed_in.headers.get_list("set-cookie")
        assert len(cookies) == 2
        assert all(cookie.startswith("__Host-") and "; Secure" in cookie for cookie in cookies)
        key = SoftwarePasskey("vault.localhost", front.origin("vault"))
        options = (await browser.post("/desk/me/passkeys/options", json={})).raise_for_status().json()
        (await browser.post("/desk/me/passkeys", json={"answer": key.register(options)})).raise_for_status()
        await browser.post("/sign-out")
        assert (await browser.get("/desk/me")).status_code == 303
        options = (await browser.post("/sign-in/passkey/options", json={})).raise_for_status().json()
        (await browser.post("/sign-in/passkey", json={"answer": key.sign(options)})).raise_for_status()
        assert (await browser.get("/desk/me")).status_code == 200
