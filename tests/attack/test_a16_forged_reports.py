"""Attack a16: a process that reaches the bounce port forges reports, and measures answer times."""

import random
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import aiosmtplib
import pytest

from services.vault.identities.person import Person
from services.vault.mail.bounces import BounceOptions, BounceServer
from services.vault.mail.rules.bounce_address import BounceAddresses
from shared.contracts import MailBounced
from shared.ids import CampaignId
from tests.support.delivery_reports import Recipient, report
from tests.support.vault_parts import Parts, parts

ADDRESSES = BounceAddresses("bounces.example", secrets.token_bytes(32))
EACH = 200
ROUNDS = 3
SHUFFLES = 3
MOST_RIGHT = 0.6
Timed = tuple[float, bool]
Durations = tuple[float, float]
"""Seconds by the wall clock and by the processor clock."""


@pytest.fixture
async def vault(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Parts]:
    async with parts(mongo_url, namespace, tmp_path, []) as wired:
        yield wired


@asynccontextmanager
async def connect(vault: Parts) -> AsyncIterator[aiosmtplib.SMTP]:
    """Run the listener and connect to it from the mail server's host."""

    def list_campaigns() -> list[CampaignId]:
        return [vault.campaign.id]

    options = BounceOptions("127.0.0.1", 0, ADDRESSES, [ip_network("127.0.0.0/8")])
    server = BounceServer(options, list_campaigns, vault.store)
    await server.start()
    try:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=server.port, timeout=20, start_tls=False) as client:
            yield client
    finally:
        await server.stop()


def person(number: int) -> Person:
    """Return an applicant with a mailbox of their own."""
    return Person("髙﨑 花子", "1600021", f"歌舞伎町{number}", "0311112222", 34, None, f"p{number}@mail.example", None)


async def test_a_report_to_a_guessed_address_is_refused_and_publishes_nothing(vault: Parts) -> None:
    """On commit 684719a each such report was believed, and mails became postcards."""
    async with connect(vault) as mx:
        for _ in range(50):
            to = f"b+{secrets.token_hex(10)}.0123456789@bounces.example"
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
                await mx.sendmail("", [to], report(Recipient("p1@mail.example")))
    assert await vault.said(MailBounced) == []


async def test_the_answer_time_does_not_tell_whether_a_mailbox_applied(vault: Parts) -> None:
    """On commit 684719a one try was right in 96 %, because a known mailbox was looked up and published.

    A difference shows in each shuffle; a single shuffle of equal times exceeds 60 % by chance once in some hundred.
    """
    await vault.admit([person(number) for number in range(EACH)])
    async with connect(vault) as mx:
        accuracies: list[float] = []
        while len(accuracies) < SHUFFLES and min(accuracies, default=1.0) > MOST_RIGHT:
            accuracies.append(await _guess(mx))
    assert min(accuracies) <= MOST_RIGHT, accuracies


async def test_a_report_makes_the_same_database_commands_whether_a_mailbox_applied(vault: Parts) -> None:
    """Show without a clock that nothing is looked up for a known mailbox only."""
    await vault.admit([person(number) for number in range(2)])
    await vault.store.db.command("profile", 2)
    async with connect(vault) as mx:
        commands = []
        for address in ("q9@mail.example", "p0@mail.example", "q8@mail.example", "p1@mail.example"):
            before = await _profile(vault)
            await _time(mx, address)
            commands.append((await _profile(vault))[len(before) :])
    assert commands[0]
    assert commands == commands[:1] * 4


async def _profile(vault: Parts) -> list[tuple[str, ...]]:
    """Return operation, collection and argument names of all commands so far, without the profiler's own reading."""
    rows = await vault.store.db["system.profile"].find({"ns": {"$not": {"$regex": "system"}}}).to_list(None)
    return [
        (row["op"], row["ns"], *sorted(set(row.get("command", {})) & {"filter", "documents", "updates"}))
        for row in rows
    ]


async def _guess(mx: aiosmtplib.SMTP) -> float:
    """Return the share of addresses in the second half that a threshold learned from the first half puts right.

    Two clocks are tried, wall and processor: the second one sees a difference on a busy machine too. Each address is
    measured in several rounds, and its shortest time counts: other processes only make times longer.
    """
    addresses = [(f"p{number}@mail.example", True) for number in range(EACH)]
    addresses += [(f"q{number}@mail.example", False) for number in range(EACH)]
    random.shuffle(addresses)
    rounds = [[await _time(mx, address) for address, _ in addresses] for _ in range(ROUNDS)]
    return max(_accuracy(timed[:EACH], timed[EACH:]) for timed in _by_clock(addresses, rounds))


def _by_clock(addresses: Sequence[tuple[str, bool]], rounds: Sequence[Sequence[Durations]]) -> Iterator[list[Timed]]:
    for clock in range(2):
        shortest = [min(durations[clock] for durations in measured) for measured in zip(*rounds, strict=True)]
        yield [(duration, is_known) for duration, (_, is_known) in zip(shortest, addresses, strict=True)]


async def _time(mx: aiosmtplib.SMTP, address: str) -> Durations:
    to = ADDRESSES.format(f"n-{secrets.token_hex(10)}") or ""
    content = report(Recipient(address))
    wall, processor = time.perf_counter(), time.process_time()
    await mx.sendmail("", [to], content)
    return time.perf_counter() - wall, time.process_time() - processor


def _accuracy(learned: Sequence[Timed], judged: Sequence[Timed]) -> float:
    """Return the share of `judged` that the best threshold of `learned` puts right."""
    candidates = [(threshold, above) for threshold, _ in learned for above in (True, False)]
    best = max(candidates, key=lambda rule: _right(learned, *rule))
    return _right(judged, *best) / len(judged)


def _right(timed: Sequence[Timed], threshold: float, above: bool) -> int:  # noqa: FBT001
    return sum(((duration > threshold) == above) == is_known for duration, is_known in timed)
