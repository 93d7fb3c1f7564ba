"""Attack: a client that names another address with each request, so that no limit counts it (issue of R-S9).

The limits count what the connection says, and what the TLS front says of its own clients.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request

from services.intake.settings import IntakeSettings
from services.vault.people.pages.context import address_of
from shared.contracts import SERVICES
from shared.service import server_config
from tests.support.offline_services import BUILDERS, build_offline
from tests.support.waiting import until

MOST = 5
LOOKUP = "/v1/postal-codes/1608484"
FRONT, STRANGER = "127.0.0.1", "127.0.0.2"


@asynccontextmanager
async def serving(app: FastAPI, settings: IntakeSettings) -> AsyncIterator[str]:
    """Serve an app as a service does; yield its address."""
    config = server_config(app, settings)
    config.lifespan = "off"
    listener, server = socket.create_server(("127.0.0.1", 0)), uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


async def refused(url: str, client: str, forwarded: str) -> int:
    """Send one look-up more than the limit allows, each with its number in the header; return how many are refused."""
    transport = httpx.AsyncHTTPTransport(local_address=client)
    async with httpx.AsyncClient(transport=transport, base_url=url, timeout=30) as http:
        sent = [
            (await http.get(LOOKUP, headers={"X-Forwarded-For": forwarded.format(number)})).status_code
            for number in range(MOST + 1)
        ]
    return sent.count(429)


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        (STRANGER, "203.0.113.{}", 1),
        (FRONT, "203.0.113.{}, 198.51.100.7", 1),
        (FRONT, "203.0.113.{}", 0),
    ],
    ids=["a stranger's header counts for nothing", "the front's own word is the last one", "clients of the front"],
)
async def test_a_limit_counts_the_address_that_the_front_saw(
    client: str, forwarded: str, expected: int, tmp_path: Path
) -> None:
    more = {"trusted_proxies": [FRONT], "lookups_per_minute": MOST}
    app, stores = build_offline("intake", tmp_path, **more)
    settings = IntakeSettings.model_validate(
        {"amqp_url": "amqp://x", "mongo_url": "mongodb://x", "state_dir": tmp_path, "service_keys_dir": tmp_path} | more
    )
    async with serving(app, settings) as url:
        assert await refused(url, client, forwarded) == expected
    for store in stores:
        await store.close()


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_believes_a_caller_that_is_not_named(service: str, tmp_path: Path) -> None:
    """Read no header without KUJI_TRUSTED_PROXIES."""
    given = {"amqp_url": "amqp://x", "mongo_url": "mongodb://x", "state_dir": tmp_path, "service_keys_dir": tmp_path}
    paths = {"keystore_dir": tmp_path, "passphrase_file": tmp_path}
    assert not server_config(FastAPI(), BUILDERS[service][1].model_validate(given | paths)).proxy_headers


def test_sign_in_counts_the_whole_network_of_an_ipv6_connection_as_one() -> None:
    """Before: each of the 2**64 addresses of one connection had attempts of its own."""

    def seen(address: str) -> str:
        return address_of(Request({"type": "http", "client": (address, 1)}))

    assert seen("2001:db8:0:1::1") == seen("2001:db8:0:1:ffff::2")
    assert seen("2001:db8:0:1::1") != seen("2001:db8:0:2::1")
    assert seen("::ffff:203.0.113.9") == seen("203.0.113.9")
