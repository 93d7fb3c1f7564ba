"""Run intake in a process of its own, an hour after the window of the sample campaign opened; make its bodies."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import psutil

from shared.campaign import load_campaign
from shared.clock import set_rehearsal_clock
from shared.ids import ApplicationId, new_application_id
from tests.support.vault_messages import CAMPAIGN, VaultSide, proof_digest_of

PATH = f"/v1/campaigns/{CAMPAIGN}/applications"
PLAINTEXT = 600
"""Bytes of a typical application before sealing."""
_LIMITS = ("APPLICATIONS_PER_MINUTE", "LOOKUPS_PER_MINUTE", "REQUESTS_PER_SECOND", "WORK_BITS")


@dataclass(frozen=True)
class Server:
    """Process and the port on which it listens."""

    port: int
    process: psutil.Process


@contextmanager
def serving(port: int, module: str, *arguments: str, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run one process of `module`; terminate it at the end."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], env=settings, stdout=subprocess.DEVNULL)
    try:
        yield Server(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(30)


def environment(amqp_url: str, mongo_url: str, home: Path, namespace: str, port: int) -> dict[str, str]:
    """Return the settings of the process, without rate limits."""
    campaigns = home / "campaigns"
    campaigns.mkdir()
    sample = Path("deploy/campaigns/777-days.yaml").read_text("utf-8")
    (campaigns / "777-days.yaml").write_text(f"{sample}\nrehearsal: true\n", "utf-8")
    opens = load_campaign(campaigns / "777-days.yaml").window.opens
    set_rehearsal_clock(home / "clock.json", opens + timedelta(hours=1))
    return {
        **os.environ,
        "KUJI_AMQP_URL": amqp_url,
        "KUJI_MONGO_URL": mongo_url,
        "KUJI_MONGO_DATABASE": f"{namespace}_intake",
        "KUJI_NAMESPACE": namespace,
        "KUJI_CAMPAIGNS_DIR": str(campaigns),
        "KUJI_STATE_DIR": str(home),
        "KUJI_CLOCK_FILE": str(home / "clock.json"),
        "KUJI_SIGNING_KEY_FILE": str(home / "signing-key"),
        "KUJI_HTTP_PORT": str(port),
        **{f"KUJI_{limit}": "0" for limit in _LIMITS},
    }


def pin(home: Path, vault: VaultSide) -> None:
    """Let the process in `home` trust the sealing keys of this vault."""
    (home / "signing-key").write_text(vault.signing.public, "ascii")


async def await_key(port: int) -> None:
    """Wait until the process answers and has the sealing key. Raises TimeoutError after 120 s."""
    async with asyncio.timeout(120), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        while True:
            with suppress(httpx.TransportError):
                if (await http.get(f"/v1/campaigns/{CAMPAIGN}/sealing-key")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.1)


def sealed_bodies(vault: VaultSide) -> Iterator[tuple[ApplicationId, bytes]]:
    """Yield bodies with distinct ids. The content is sealed once, because sealing would slow the client down."""
    sealer = new_application_id()
    content = {
        "v": 2,
        "application_id": "*",
        "key_id": "k1",
        "sealed": vault.key().seal(sealer, bytes(PLAINTEXT)),
        "proof_sha256": proof_digest_of(sealer),
    }
    around = json.dumps(content, separators=(",", ":"))
    before, after = (part.encode() for part in around.split("*"))
    while True:
        application_id = new_application_id()
        yield application_id, before + application_id.encode() + after
