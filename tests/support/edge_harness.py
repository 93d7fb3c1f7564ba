"""An office for tests of the edge: intake and vault in processes of their own, and a machine with a spool."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from deploy.local.paths import ROOT
from deploy.local.ports import origins
from deploy.local.stack import Stack
from services.vault.keys.keystore import Keystore
from services.vault.papers.repository import PaperRepository
from shared.ids import CampaignId, PaperId
from shared.storage import Store
from tests.support.staff_sign_in import sign_in_at_vault
from tests.support.waiting import block_until

T = TypeVar("T")

CANARY = "kanaria-0312345678"
TOOL = ROOT / "deploy" / "edge" / "kuji-seal-paper"
HOOK = ROOT / "deploy" / "edge" / "faxrcvd-kuji"


@dataclass(frozen=True)
class Edge:
    """An office: intake and vault in processes of their own, and a machine with a spool."""

    stack: Stack
    home: Path
    campaign: str
    _headers: dict[str, str] = field(default_factory=dict)

    @property
    def spool(self) -> Path:
        return self.home / "spool"

    def environment(self, **changes: str) -> dict[str, str]:
        public = httpx.get(f"{self.stack.url('vault')}/v1/signing-key", timeout=10).json()["public_key"]
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "KUJI_INTAKE_URL": self.stack.url("intake"),
            "KUJI_CAMPAIGN": self.campaign,
            "KUJI_PAPER_TOKEN_FILE": str(self.stack.secrets.paper_token_file),
            "KUJI_SIGNING_KEY": public,
            "KUJI_SPOOL": str(self.spool),
            "KUJI_PATIENCE_S": "1",
            **changes,
        }

    def run(self, program: Path, *arguments: object, cwd: Path | None = None, **changes: str) -> tuple[int, str, str]:
        finished = subprocess.run(
            [sys.executable, str(program), *map(str, arguments)], env=self.environment(**changes), cwd=cwd,
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return finished.returncode, finished.stdout, finished.stderr

    def file(self, name: str, content: bytes) -> Path:
        path = self.home / name
        path.write_bytes(content)
        return path

    def sealed(self) -> list[Path]:
        return sorted(self.spool.glob("*.json"))

    def papers(self) -> dict[str, dict[str, Any]]:
        """Return the vault's papers, by serial number."""
        found = self._staff("GET", "papers").json()["papers"]
        return {paper["serial"]: paper for paper in found}

    def arrived(self, serial: str) -> dict[str, Any]:
        block_until(lambda: serial in self.papers())
        return self.papers()[serial]

    def image(self, serial: str) -> bytes:
        """Return the file as the vault keeps it, decrypted by its keys: no route gives the file itself."""
        paper_id = PaperId(self.arrived(serial)["id"])

        async def decrypt(store: Store, keystore: Keystore) -> bytes:
            paper = await PaperRepository(store).load(CampaignId(self.campaign), paper_id)
            assert paper is not None
            return paper.decrypt(keystore.campaign(CampaignId(self.campaign)))

        return self._at_vault(decrypt)

    def _at_vault(self, work: Callable[[Store, Keystore], Awaitable[T]]) -> T:
        environment = self.stack.environment("vault")
        keystore = Keystore.open(self.stack.keystore, self.stack.secrets.passphrase_file.read_text("utf-8").strip())

        async def run() -> T:
            async with Store.open(environment["KUJI_MONGO_URL"], environment["KUJI_MONGO_DATABASE"]) as store:
                return await work(store, keystore)

        return asyncio.run(run())

    def staff(self) -> dict[str, str]:
        """Return the headers of a handler at the vault, who signed in before the first call."""
        if not self._headers:
            origin = origins(self.stack.ports)["vault"]
            self._headers.update(
                self._at_vault(lambda store, keystore: sign_in_at_vault(store, keystore, origin=origin))
            )
        return self._headers

    def _staff(self, method: str, path: str) -> httpx.Response:
        url = f"{self.stack.url('vault')}/v1/campaigns/{self.campaign}/{path}"
        return httpx.request(method, url, headers=self.staff(), timeout=10).raise_for_status()
