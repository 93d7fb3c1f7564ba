"""A proxy that the environment names (`http_proxy`, as offices have it) sees no password, session or token (R-S8).

The address is this machine's own, so that nothing refuses it for going in the clear; a proxy on another machine would
get the whole request.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from deploy.cli import api
from deploy.cli.installation import _service_row
from deploy.edge.settings import EdgeSettings, NotSetUpError
from deploy.local.ports import free_ports
from deploy.local.processes import is_ready
from deploy.people.browser import ServiceAddress, StaffBrowser
from shared.errors import KujiError
from shared.json_types import JsonObject
from shared.messaging.copies import Management


@pytest.fixture
def arrived(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Requests that arrived at the proxy, with their heads."""
    requests = list[str]()

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(f"{self.requestline}\n{self.headers}")
            self.send_error(502)

        do_POST = do_CONNECT = do_GET  # noqa: N815  (the base class calls them so)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    server = HTTPServer(("127.0.0.1", 0), Proxy)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Thread(target=server.serve_forever, daemon=True).start()
    yield requests
    server.shutdown()
    server.server_close()


def record(url: str, token_file: Path) -> JsonObject:
    token_file.write_text("token-of-a-program")
    return {"url": url, "pages": url, "token_file": str(token_file)}


def ask_management(url: str, _: JsonObject) -> object:
    return asyncio.run(Management.of(url, "amqp://vault:secret@127.0.0.1/").get("/api/queues"))


def sign_in(url: str, _: JsonObject) -> object:
    address = {"vault": ServiceAddress(url, url)}
    return StaffBrowser(address).request("vault", "POST", "/sign-in", form={"password": "secret"})


def call_with_token(_: str, endpoint: JsonObject) -> object:
    return api.call_with_token("vault", "GET", "queues", endpoint["token_file"])


def show_status(_: str, endpoint: JsonObject) -> object:
    return _service_row("vault", endpoint)


def ask_ready(url: str, _: JsonObject) -> object:
    return is_ready(url)


@pytest.mark.parametrize("ask", [ask_management, sign_in, call_with_token, show_status, ask_ready])
def test_nothing_arrives_at_the_proxy(
    ask: Callable[[str, JsonObject], object], arrived: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    endpoint = record(url, tmp_path / "token")
    monkeypatch.setattr(api, "read_record", lambda: {"services": {"vault": endpoint}})
    with contextlib.suppress(KujiError, httpx.ConnectError):  # nobody listens there
        ask(url, endpoint)
    assert arrived == []


@pytest.mark.parametrize("url", ["http://intake.example", "http://10.0.0.5:8080", "HTTP://intake/", "intake.example"])
def test_an_edge_tool_sends_its_token_to_no_other_machine_in_the_clear(url: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("token-of-papers")
    given = {
        "KUJI_CAMPAIGN": "spring", "KUJI_PAPER_TOKEN_FILE": str(tmp_path / "token"), "KUJI_SIGNING_KEY": "key",
        "KUJI_EDGE_FILE": str(tmp_path / "none"),
    }  # fmt: skip
    with pytest.raises(NotSetUpError, match=r"KUJI_INTAKE_URL.*https://"):
        EdgeSettings.read({**given, "KUJI_INTAKE_URL": url})
    for fine in ("https://intake.example", "http://127.0.0.1:8001", "http://localhost:8001", "http://[::1]:8001"):
        assert EdgeSettings.read({**given, "KUJI_INTAKE_URL": fine}).intake_url == fine
