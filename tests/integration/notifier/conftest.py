"""Fixtures of the notifier's integration tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.mail_relay_harness import run_relay

from tests.support.mail_server import MailServer
from tests.support.notifier_harness import NotifierHarness
from tests.support.vault_parts import parts


@pytest.fixture
async def mta() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


@pytest.fixture
async def harness(
    amqp_url: str, mongo_url: str, namespace: str, tmp_path: Path, mta: MailServer
) -> AsyncIterator[NotifierHarness]:
    async with (
        parts(mongo_url, namespace, tmp_path, []) as vault,
        run_relay(vault, mta.port) as relay,
        NotifierHarness(amqp_url, mongo_url, namespace, vault, relay, mta) as built,
    ):
        yield built
