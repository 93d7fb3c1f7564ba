"""An installation whose window is open, and a browser, for the tests of pages."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser
from pymongo import MongoClient

from deploy.demo.rehearsal import SAMPLE, rehearsal_of
from deploy.local.processes import Watchdog
from deploy.local.stack import Options, Stack
from services.vault.applications import repository as register
from services.vault.identities.person import Identity, Person
from services.vault.identities.repository import bound_to
from services.vault.keys.ciphers.envelope import Sealed, unseal
from services.vault.keys.keystore import Keystore
from shared.campaign import Campaign
from shared.clock import set_rehearsal_clock
from tests.support.browser import chromium
from tests.support.waiting import block_until


@dataclass(frozen=True)
class Office:
    """A running installation, looked at from all sides."""

    stack: Stack
    campaign: Campaign
    clock_file: Path

    @property
    def url(self) -> str:
        return self.stack.url("intake")

    def opened(self) -> "Office":
        """Wait until the form has the key, which the vault sends after it is ready; return the office."""
        block_until(lambda: 'id="fields"' in httpx.get(f"{self.url}/c/{self.campaign.id}/apply", timeout=30).text)
        return self

    def jump(self, to: datetime) -> None:
        set_rehearsal_clock(self.clock_file, to)

    def awaited(self, service: str, collection: str, **query: Any) -> dict[str, Any]:
        """Wait for the one document of the collection and return it."""
        ends = time.monotonic() + 180
        while not (found := self.documents(service, collection, **query)):
            assert time.monotonic() < ends, f"{service} has no such {collection}"
            time.sleep(0.05)
        [line] = found
        return line

    def documents(self, service: str, collection: str, **query: Any) -> list[dict[str, Any]]:
        with MongoClient[dict[str, Any]](self.stack.servers.mongo_url) as client:
            return list(client[f"kuji_{service}"][collection].find(query))

    def register(self, receipt: str) -> dict[str, Any]:
        """Return the vault's record of an application, without the person."""
        return self.awaited("vault", register.COLLECTION, receipt=receipt)

    def person(self, receipt: str) -> Person:
        """Opened with the office's own keys, as the vault does."""
        identity = self.awaited("vault", "identities", receipt=receipt)
        keys = Keystore.open(self.stack.keystore, self.stack.secrets.passphrase_file.read_text().strip())
        sealed = Sealed(identity["wrapped_key"], identity["ciphertext"])
        wrapping = keys.campaign(self.campaign.id).wrapping
        return Identity.from_json(bytes(unseal(wrapping, sealed, bound_to(self.campaign.id, identity["_id"])))).person


@pytest.fixture(scope="module")
def open_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Run the sample event, a day after its window opened."""
    home = tmp_path_factory.mktemp("office")
    campaign = rehearsal_of(SAMPLE, home / "campaigns")
    clock_file = home / "clock.json"
    set_rehearsal_clock(clock_file, campaign.window.opens + timedelta(days=1))
    with Watchdog() as watchdog, Stack(home, Options(home / "campaigns", clock_file), watchdog=watchdog) as stack:
        yield Office(stack, campaign, clock_file).opened()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running
