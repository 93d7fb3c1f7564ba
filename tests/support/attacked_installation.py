"""Services as they run in an office, and an attacker who took one of them over."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from deploy.local.rabbitmq import RabbitMQ
from deploy.local.service_keys import KeyFolders
from services.intake.app import build as build_intake
from services.intake.settings import IntakeSettings
from services.lottery.app import build as build_lottery
from services.lottery.settings import LotterySettings
from shared.settings import ServiceSettings
from shared.signing import SigningKey
from shared.storage import Store
from tests.support.attacker import Attacker
from tests.support.databases import own_database
from tests.support.private_broker import PASSWORD
from tests.support.waiting import until

CAMPAIGNS = Path("deploy/campaigns")


@dataclass(frozen=True)
class Installation:
    """Starts services as they run in an office; hands out an attacker who took one of them over."""

    broker: RabbitMQ
    mongo_url: str
    folders: KeyFolders
    folder: Path
    signing: SigningKey
    """The vault's signing key, which is no service key."""

    @asynccontextmanager
    async def attacker(self, service: str) -> AsyncIterator[Attacker]:
        async with Attacker.connected(
            self.broker.url(service, PASSWORD), self.folders.folders[service], service
        ) as one:
            yield one

    @asynccontextmanager
    async def lottery(self) -> AsyncIterator[Store]:
        async with self._running("lottery", LotterySettings, build_lottery) as store:
            yield store

    @asynccontextmanager
    async def intake(self) -> AsyncIterator[Store]:
        (self.folder / "pin").write_text(self.signing.public, "ascii")
        pin = {"signing_key_file": self.folder / "pin"}
        async with self._running("intake", IntakeSettings, build_intake, **pin) as store:
            yield store

    @asynccontextmanager
    async def _running(
        self, service: str, settings: type[ServiceSettings], build: Callable[[Any], FastAPI], **more: Any
    ) -> AsyncIterator[Store]:
        database = f"attacked{secrets.token_hex(4)}_{service}"
        app = build(
            settings.model_validate(
                {
                    "amqp_url": self.broker.url(service, PASSWORD),
                    "mongo_url": self.mongo_url,
                    "mongo_database": database,
                    "campaigns_dir": CAMPAIGNS,
                    "state_dir": self.folder,
                    "service_keys_dir": self.folders.folders[service],
                    "shutdown_s": 5,
                }
                | more
            )
        )
        async with own_database(self.mongo_url, database) as store, app.router.lifespan_context(app):
            yield store


async def settle(attacker: Attacker, service: str, count: int) -> None:
    """Wait until the service has set `count` messages aside as untrusted."""
    await until(lambda: attacker.has_records(service, count))
