"""Mails a second from the notifier through the vault's relay to a mail server, beside bare aiosmtplib in the same run.

    python -m tests.bench.bench_relay

Uses KUJI_AMQP_URL and KUJI_MONGO_URL, or starts private servers. The receiving end (deploy/local/mailbox.py, a process
of its own that writes each mail to disk) is the same for all figures; notifier and relay share one process here, so
each is faster where it has a core of its own. The difference is the price of STARTTLS, tokens, an audit line that is
durable before the address is used, and a durable mark before the text goes out.
"""

import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiosmtplib

from deploy.local.processes import Watchdog
from deploy.local.servers import Servers
from services.notifier import handlers
from shared import logging
from tests.support.mail_relay_harness import (
    RunningRelay,
    build_mail,
    name_recipients,
    run_relay,
    send_text,
    token_address,
)
from tests.support.mail_server import MailServer
from tests.support.notifier_harness import NotifierHarness
from tests.support.vault_parts import Known, parts

MAILS = 600
LOSERS = 1000
CONNECTIONS = 8


@dataclass(frozen=True)
class Figure:
    """`rate`: of `unit` a second."""

    what: str
    rate: float
    unit: str = "mails/s"


async def _measure_rate(count: int, run_session: Callable[[Sequence[int]], Awaitable[None]]) -> float:
    """Deal the numbers 0 … count-1 to parallel sessions and return the rate per second."""
    started = time.perf_counter()
    await asyncio.gather(*(run_session(range(n, count, CONNECTIONS)) for n in range(CONNECTIONS)))
    return count / (time.perf_counter() - started)


async def measure_library(smtp_port: int) -> AsyncIterator[Figure]:
    """Measure the client library alone: no TLS, no tokens, no audit."""
    content = build_mail("someone@mail.example")

    async def session(numbers: Sequence[int]) -> None:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=smtp_port, start_tls=False, local_hostname="bench")
        async with client:
            for number in numbers:
                await client.sendmail("bench@mail.example", [f"person{number}@mail.example"], content)

    yield Figure(f"bare aiosmtplib → mail server, {CONNECTIONS} sessions", await _measure_rate(MAILS, session))


async def measure_relay(relay: RunningRelay, people: Sequence[Known]) -> AsyncIterator[Figure]:
    """Measure a plain client of the relay: tokens and audit, no states."""

    async def session(numbers: Sequence[int]) -> None:
        async with relay.client() as client:
            for number in numbers:
                token = people[number].token
                await name_recipients(client, [token_address(token)], f"n-{number:020x}")
                code, _ = await send_text(client, build_mail(token_address(token), "{{kuji:name}} 様\n"))
                assert code == aiosmtplib.SMTPStatus.completed, code

    rate = await _measure_rate(len(people), session)
    yield Figure(f"aiosmtplib → relay → mail server, {CONNECTIONS} sessions", rate)


async def measure_notifier(harness: NotifierHarness, people: Sequence[Known], outcome: str) -> float:
    """Return people per second, from the start of the notifier until each notice is mailed."""
    await harness.store.transact(lambda uow: handlers.on_contacts(harness.build_contacts(people), uow))
    await harness.store.transact(lambda uow: handlers.on_results(harness.build_results(people, outcome), uow))
    started = time.perf_counter()
    async with harness.run_notifier(connections=CONNECTIONS, gather_s=0.0):
        await harness.wait_for_states(300, sent=len(people))
        seconds = time.perf_counter() - started
    await harness.store.db["notices"].delete_many({})
    return len(people) / seconds


async def measure(servers: Servers, folder: Path) -> AsyncIterator[Figure]:
    async for figure in measure_library(servers.smtp_port):
        yield figure
    namespace = f"b{secrets.token_hex(4)}"
    async with (
        parts(servers.mongo_url, namespace, folder, []) as vault,
        run_relay(vault, servers.smtp_port, timeout_s=30) as relay,
        NotifierHarness(servers.amqp_url, servers.mongo_url, namespace, vault, relay, MailServer()) as harness,
    ):
        await harness.prepare_database()
        winners, losers = await harness.admit_people(MAILS), await harness.admit_people(LOSERS, first=MAILS)
        async for figure in measure_relay(relay, winners):
            yield figure
        yield Figure("notifier → relay → mail server, one mail each", await measure_notifier(harness, winners, "won"))
        rate = await measure_notifier(harness, losers, "lost")
        yield Figure("notifier → relay → mail server, one mail each without a pass", rate)


async def main() -> None:
    logging.configure("bench", "error")
    with tempfile.TemporaryDirectory() as folder, Watchdog() as watchdog:
        home = Path(folder)
        with Servers(home / "servers", watchdog=watchdog) as servers:
            (home / "vault").mkdir()
            async for figure in measure(servers, home / "vault"):
                sys.stdout.write(f"{figure.rate:8,.0f} {figure.unit:9} {figure.what}\n")


if __name__ == "__main__":
    asyncio.run(main())
