"""The four services in this process, on a real broker and database, with sessions of people who hold every right."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from services.vault.keys.keystore import Keystore
from services.vault.people import password_hashes
from shared.campaign import load_campaign
from shared.clock import set_rehearsal_clock
from shared.contracts import SERVICES
from shared.messaging import Bus
from shared.messaging.handling import Handling
from shared.messaging.topology import declare, remove
from shared.storage import Store
from shared.storage.driver import connect
from tests.support.databases import drop_database
from tests.support.offline_services import BUILDERS
from tests.support.service_keys import keys_dir
from tests.support.staff_sign_in import ORIGINS, sign_in_at, sign_in_at_vault
from tests.support.vault_harness import PASSPHRASE, SAMPLE

STAFF = "yamada-01"
_DELAYS_S = (1, 2)


@dataclass
class RunningService:
    """A service under its lifespan. `handlings`: those of its consumers, which this process calls itself."""

    name: str
    app: FastAPI
    store: Store
    folder: Path
    handlings: list[Handling[Any]] = field(default_factory=list)

    async def sign_in(self) -> dict[str, str]:
        """Start a session of a person with every right; return a program's headers."""
        if self.name == "vault":
            keystore = Keystore.open(self.folder / "keystore", PASSPHRASE)
            return await sign_in_at_vault(self.store, keystore, STAFF)
        return await sign_in_at(self.store, self.name, STAFF)


@asynccontextmanager
async def running_services(
    amqp_url: str, mongo_url: str, namespace: str, folder: Path
) -> AsyncIterator[dict[str, RunningService]]:
    """Run all services. Their consumers are attached to nothing: the test hands them their events."""
    await declare(amqp_url, namespace, retry_delays_s=_DELAYS_S)
    campaigns = _campaigns(folder)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(remove, amqp_url, namespace, retry_delays_s=_DELAYS_S)
        services = {}
        for name in SERVICES:
            given = {"amqp_url": amqp_url, "mongo_url": mongo_url, "namespace": namespace, **campaigns}
            services[name] = _build(name, folder / name, given)
            stack.push_async_callback(_drop, mongo_url, f"{namespace}_{name}")
            await stack.enter_async_context(services[name].app.router.lifespan_context(services[name].app))
        yield services


async def _drop(mongo_url: str, name: str) -> None:
    async with Store(connect(mongo_url, 5.0), name) as store:
        await drop_database(store)


def _campaigns(folder: Path) -> dict[str, Any]:
    """Return settings of a rehearsal an hour after the window of the sample campaign opened."""
    campaigns = folder / "campaigns"
    campaigns.mkdir(parents=True)
    (campaigns / SAMPLE.name).write_text(f"{SAMPLE.read_text('utf-8')}\nrehearsal: true\n", "utf-8")
    opens = load_campaign(campaigns / SAMPLE.name).window.opens
    set_rehearsal_clock(folder / "clock.json", opens + timedelta(hours=1))
    return {"campaigns_dir": campaigns, "clock_file": folder / "clock.json"}


def _build(name: str, folder: Path, given: dict[str, Any]) -> RunningService:
    folder.mkdir()
    for secret in ("token", "passphrase"):
        (folder / secret).write_text(PASSPHRASE, "utf-8")
    build, settings = BUILDERS[name]
    limits = ("applications_per_minute", "lookups_per_minute", "requests_per_second", "work_bits")
    own = {
        "mongo_database": f"{given['namespace']}_{name}",
        "state_dir": folder,
        "service_keys_dir": keys_dir(),
        "ops_token_file": folder / "token",
        "paper_token_file": folder / "token",
        "setup_token_file": folder / "token",
        "keystore_dir": folder / "keystore",
        "passphrase_file": folder / "passphrase",
        "origins": ORIGINS,
        "retry_delays_s": _DELAYS_S,
        "mta_security": "none",
        "mta_port": 1,
        **dict.fromkeys(limits, 0),
    }
    with _recorded() as (stores, handlings):
        app = build(settings.model_validate(given | own))
    return RunningService(name, app, stores[0], folder, handlings)


@contextmanager
def _recorded() -> Iterator[tuple[list[Store], list[Handling[Any]]]]:
    """Yield lists of the stores that are opened and of the consumers that are connected; hash passwords cheaply."""
    stores, handlings = list[Store](), list[Handling[Any]]()
    bus_consume = Bus.consume

    def open_store(url: str, database: str, *, timeout_s: float) -> Store:
        stores.append(Store(connect(url, timeout_s), database))
        return stores[-1]

    def consume(bus: Bus, *arguments: Any, **more: Any) -> None:
        bus_consume(bus, *arguments, **more)
        handlings.append(bus.consumers.pop().handling)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "open", open_store)
        patch.setattr(Bus, "consume", consume)
        patch.setitem(password_hashes.COST, "time_cost", 1)
        patch.setitem(password_hashes.COST, "memory_cost", 64)
        yield stores, handlings
