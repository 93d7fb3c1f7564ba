"""Run Debian's Caddy with the shipped configuration of the TLS front, on ports of its own."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from deploy.local.ports import free_ports
from tests.support.waiting import block_until

CADDYFILE: Final = Path("deploy/front/Caddyfile")
OFFICE, HOME = "127.0.0.2", "127.0.0.1"
"""Addresses of two clients; the staff pages are open to the first."""


@dataclass
class Front:
    """Running front. `trust`: a context that knows the front's own authority."""

    http: int
    https: int
    trust: ssl.SSLContext
    log: Path

    def origin(self, service: str) -> str:
        return f"https://{service}.localhost:{self.https}"

    def get(
        self, service: str, path: str = "/", *, client: str = OFFICE, timeout_s: float = 30, **headers: str
    ) -> httpx.Response:
        """Call a service by its name, from one of the machine's addresses."""
        name = f"{service}.localhost"
        transport = httpx.HTTPTransport(local_address=client, verify=self.trust)
        with httpx.Client(transport=transport, timeout=timeout_s) as http:
            return http.get(
                f"https://127.0.0.1:{self.https}{path}",
                headers={"host": f"{name}:{self.https}", **headers},
                extensions={"sni_hostname": name},
            )

    def browser(self, service: str) -> httpx.AsyncClient:
        """Return a browser of the office that sends forms of the service's own pages, and keeps its cookies."""
        origin = self.origin(service)
        return httpx.AsyncClient(transport=_Loopback(self), base_url=origin, headers={"origin": origin}, timeout=30)


class _Loopback(httpx.AsyncHTTPTransport):
    """Transport to this machine for all names, as browsers resolve `*.localhost`."""

    def __init__(self, front: Front) -> None:
        super().__init__(verify=front.trust, local_address=OFFICE)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        local = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return await super().handle_async_request(local)


@contextmanager
def running_front(
    folder: Path, upstreams: Mapping[str, int], https: int | None = None, seconds: Mapping[str, int] | None = None
) -> Iterator[Front]:
    """Run the front before these services (name → port). `https`: the port to listen on; else a free one.

    `seconds`: ports of a second instance of these services.
    """
    program = shutil.which("caddy")
    assert program is not None, "the test of the TLS front needs Debian's caddy; ./kuji test installs it"
    http, free, health = free_ports(3)
    text = CADDYFILE.read_text("utf-8").replace("127.0.0.1:8081", f"127.0.0.1:{health}")
    for name, port in upstreams.items():
        text = text.replace(f"{name}:8100", f"127.0.0.1:{port}")
    (folder / "Caddyfile").write_text(text, "utf-8")
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder), "KUJI_TLS": "internal",
        "KUJI_LISTEN_HTTP": str(http), "KUJI_LISTEN_HTTPS": str(https or free), "KUJI_DOMAIN": "localhost",
        "KUJI_STAFF_NETWORKS": f"{OFFICE}/32 10.0.0.0/8",
    }  # fmt: skip
    for name, port in (seconds or {}).items():
        environment[f"KUJI_{name.upper()}_INSTANCES"] = f"127.0.0.1:{upstreams[name]} 127.0.0.1:{port}"
    command = [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with (folder / "log").open("wb") as log:
        caddy = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            root = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
            block_until(lambda: _is_up(health) and root.exists())
            front = Front(http, https or free, ssl.create_default_context(cafile=str(root)), folder / "log")
            block_until(lambda: _has_certificates(front, upstreams))
            yield front
        finally:
            caddy.terminate()
            caddy.wait(30)


def _is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=5).status_code == 204
    except httpx.TransportError:
        return False


def _has_certificates(front: Front, services: Mapping[str, int]) -> bool:
    """Return True once the front's own authority has made the certificates of these names."""
    try:
        return all(front.get(name).status_code for name in services)
    except httpx.TransportError:
        return False
