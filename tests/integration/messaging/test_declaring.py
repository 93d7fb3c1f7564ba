"""The command that brings the topology about, as an operator or a container runs it."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika
import pytest

from shared.messaging.topology import describe

ROOT = Path(__file__).resolve().parents[3]


def run_declare(**environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KUJI_")}
    return subprocess.run(
        [sys.executable, "-m", "shared.messaging.declare"],
        cwd=ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
async def channel(amqp_url: str, namespace: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    async with await aio_pika.connect(amqp_url, timeout=10) as connection, connection.channel() as channel:
        yield channel
        for queue in describe(namespace).queues:
            await channel.queue_delete(queue.name)
        for exchange in describe(namespace).exchanges:
            await channel.exchange_delete(exchange.name)


async def test_declaring_twice_makes_every_queue_once_and_succeeds(
    amqp_url: str, namespace: str, channel: aio_pika.abc.AbstractChannel
) -> None:
    for _ in range(2):
        done = run_declare(KUJI_AMQP_URL=amqp_url, KUJI_NAMESPACE=namespace)
        assert done.returncode == 0, done.stderr
    for queue in describe(namespace).queues:
        await channel.declare_queue(queue.name, passive=True)


@pytest.mark.usefixtures("channel")
def test_a_queue_that_differs_is_said_and_nothing_is_changed(amqp_url: str, namespace: str) -> None:
    assert run_declare(KUJI_AMQP_URL=amqp_url, KUJI_NAMESPACE=namespace).returncode == 0
    done = run_declare(KUJI_AMQP_URL=amqp_url, KUJI_NAMESPACE=namespace, KUJI_DELIVERY_LIMIT="3")
    assert done.returncode == 1
    assert "other arguments" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_missing_or_away_is_said_in_one_line_without_the_password() -> None:
    assert "set KUJI_AMQP_URL" in run_declare().stderr
    away = run_declare(KUJI_AMQP_URL="amqp://admin:sesame@127.0.0.1:1/")
    assert away.returncode == 1
    assert "does not answer" in away.stderr
    assert "sesame" not in away.stderr
    assert "Traceback" not in away.stderr
