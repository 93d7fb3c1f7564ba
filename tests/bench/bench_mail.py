"""Mails a second from the notifier's order to the mail server's answer, beside a plain worker in the same run.

    python -m tests.bench.bench_mail

Uses KUJI_AMQP_URL and KUJI_MONGO_URL, or starts private servers. The receiving end is Postfix's `smtp-sink` (or
the command in KUJI_SMTP_SINK). Starting the vault is not counted: the clock runs from the first order until the last
outcome is written. The plain worker takes finished mails from RabbitMQ and sends them with smtplib: no register, no
slip, no text, no audit line, no state.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import smtplib
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aio_pika
import pika
import uvloop

from deploy.local.ports import free_ports
from deploy.local.processes import Child, Watchdog
from deploy.local.servers import Servers
from services.vault.app import build
from services.vault.deliveries.repository import COLLECTION
from services.vault.settings import VaultSettings
from shared import logging
from shared.contracts import IssuedSlip, MailRequested, NoticeDocument, SlipsIssued
from shared.messaging.names import Names
from shared.messaging.topology import declare
from shared.storage import MongoCollection
from tests.support.mail_room_harness import MailDesk, mail_desk, person
from tests.support.service_keys import keys_dir, keys_in_environment, signed
from tests.support.vault_parts import SAMPLE, Known

MAILS = 2000
PEOPLE = 10_000
PLAIN_SESSIONS = 4


@dataclass(frozen=True)
class Figure:
    """`rate`: of `unit` a second."""

    name: str
    rate: float
    unit: str = "mails/s"


@contextlib.contextmanager
def smtp_sink(watchdog: Watchdog, folder: Path) -> Iterator[int]:
    """Run smtp-sink and yield its port."""
    command = os.environ.get("KUJI_SMTP_SINK", shutil.which("smtp-sink") or "/usr/sbin/smtp-sink")
    (port,) = free_ports(1)
    arguments = [command, *(["-u", "root"] if os.geteuid() == 0 else []), f"127.0.0.1:{port}", "1000"]
    sink = Child.start(
        "smtp-sink", arguments, env=dict(os.environ), log=folder / "smtp-sink.log", watchdog=watchdog, cwd=folder
    )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), smtplib.SMTP("127.0.0.1", port, timeout=1):
                break
            time.sleep(0.05)
        yield port
    finally:
        sink.kill()


def measure_plain_worker(amqp_url: str, smtp_port: int) -> float:
    """Return mails per second of workers that take finished mails from RabbitMQ and send them with smtplib."""
    queue = f"bench-{secrets.token_hex(4)}"
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    channel = connection.channel()
    channel.queue_declare(queue, durable=True)
    text = "Subject: result\r\n\r\n" + ("x" * 70 + "\r\n") * 40
    for number in range(MAILS):
        channel.basic_publish("", queue, json.dumps({"to": f"person{number}@mail.example", "text": text}).encode())
    threads = [threading.Thread(target=_work, args=(amqp_url, queue, smtp_port)) for _ in range(PLAIN_SESSIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    channel.queue_delete(queue)
    connection.close()
    return MAILS / seconds


def _work(amqp_url: str, queue: str, smtp_port: int) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=50)
    with smtplib.SMTP("127.0.0.1", smtp_port) as client:
        for method, _, body in channel.consume(queue, inactivity_timeout=0.5):
            if method is None:
                break
            job = json.loads(body)
            client.sendmail("bench@mail.example", [job["to"]], job["text"])
            channel.basic_ack(method.delivery_tag)
    connection.close()


async def measure_room(desk: MailDesk, amqp_url: str, namespace: str, documents: Sequence[NoticeDocument]) -> float:
    """Return seconds from the first order until the last outcome is written."""
    orders = [
        MailRequested(campaign=desk.vault.campaign.id, items=tuple(documents[start : start + 100]))
        for start in range(0, len(documents), 100)
    ]
    messages = [signed(order).message() for order in orders]
    rows = desk.vault.store.db[COLLECTION]
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange(Names(namespace).events, ensure=False)
        started = time.perf_counter()
        await asyncio.gather(*(exchange.publish(message, MailRequested.name) for message in messages))
        while not await _all_sent(rows, len(documents)):  # noqa: ASYNC110  (another process writes)
            await asyncio.sleep(0.1)
    seconds = time.perf_counter() - started
    await rows.delete_many({})
    return seconds


async def measure(servers: Servers, folder: Path, watchdog: Watchdog) -> AsyncIterator[Figure]:
    """Yield all figures of one run."""
    namespace = f"b{secrets.token_hex(4)}"
    with smtp_sink(watchdog, folder) as smtp_port:
        rate = await asyncio.to_thread(measure_plain_worker, servers.amqp_url, smtp_port)
        yield Figure(f"RabbitMQ → plain worker (smtplib, {PLAIN_SESSIONS} sessions)", rate)
        await declare(servers.amqp_url, namespace)
        async with mail_desk(servers.mongo_url, namespace, folder, smtp_port) as desk:
            known = await _admit(desk)
            app = build(_settings(servers, folder, namespace, smtp_port))
            async with app.router.lifespan_context(app):
                results = [desk.result(one) for one in known[:MAILS]]
                await _issue_slips(desk, known[:MAILS])
                await measure_room(desk, servers.amqp_url, namespace, results[:200])
                seconds = await measure_room(desk, servers.amqp_url, namespace, results[200:])
                yield Figure("order → mail room, single mails with slip and pass", (MAILS - 200) / seconds)
                bulk = [desk.announcement(known[start : start + 50]) for start in range(0, PEOPLE, 50)]
                seconds = await measure_room(desk, servers.amqp_url, namespace, bulk)
                yield Figure("order → mail room, announcements in BCC of 50", PEOPLE / seconds, "people/s")


async def _issue_slips(desk: MailDesk, known: Sequence[Known]) -> None:
    """Let the lottery name the slips before the notifier orders mails, as it does in a draw."""
    for start in range(0, len(known), 100):
        items = tuple(IssuedSlip(token=one.token, n=1_000_000) for one in known[start : start + 100])
        event = SlipsIssued(campaign=desk.vault.campaign.id, items=items)
        await desk.vault.store.transact(partial(desk.handlers.on_slips_issued, [event]))


async def _all_sent(rows: MongoCollection, count: int) -> bool:
    return await rows.count_documents({"state": "sent"}) >= count


async def _admit(desk: MailDesk) -> list[Known]:
    known: list[Known] = []
    for start in range(0, PEOPLE, 500):
        known += await desk.vault.admit([person(number) for number in range(start, start + 500)])
    return known


def _settings(servers: Servers, folder: Path, namespace: str, smtp_port: int) -> VaultSettings:
    (folder / "passphrase").write_text("a passphrase of the tests", "utf-8")
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    return VaultSettings.model_validate(
        {
            "amqp_url": servers.amqp_url,
            "mongo_url": servers.mongo_url,
            "mongo_database": f"{namespace}_vault",
            "namespace": namespace,
            "campaigns_dir": folder / "campaigns",
            "state_dir": folder / "state",
            "keystore_dir": folder / "keys",
            "passphrase_file": folder / "passphrase",
            "service_keys_dir": keys_dir(),
            "mta_host": "127.0.0.1",
            "mta_port": smtp_port,
            "mta_security": "none",
        }
    )


async def main() -> None:
    """Print the figures."""
    logging.configure("bench", "error")
    with tempfile.TemporaryDirectory() as name, Watchdog() as watchdog:
        folder = Path(name)
        with (
            keys_in_environment(folder / "keys-of-services"),
            Servers(folder / "servers", watchdog=watchdog) as servers,
        ):
            async for figure in measure(servers, folder, watchdog):
                sys.stdout.write(f"{figure.rate:8,.0f} {figure.unit:9} {figure.name}\n")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
