"""Attack a16: a process that reaches the bounce port forges reports, and measures answer times."""

import random
import secrets
import time
from collections.abc import AsyncIterator, Sequence
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
Timed = tuple[float, bool]


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
    """On commit 684719a one try was right in 96 %, because a known mailbox was looked up and published."""
    await vault.admit([person(number) for number in range(EACH)])
    attempts = [(f"p{number}@mail.example", True) for number in range(EACH)]
    attempts += [(f"q{number}@mail.example", False) for number in range(EACH)]
    random.shuffle(attempts)
    async with connect(vault) as mx:
        timed = [(await _time(mx, address), is_known) for address, is_known in attempts]
    assert _accuracy(timed[:EACH], timed[EACH:]) <= 0.6


async def _time(mx: aiosmtplib.SMTP, address: str) -> float:
    to = ADDRESSES.format(f"n-{secrets.token_hex(10)}") or ""
    started = time.perf_counter()
    await mx.sendmail("", [to], report(Recipient(address)))
    return time.perf_counter() - started


def _accuracy(learned: Sequence[Timed], judged: Sequence[Timed]) -> float:
    """Return the share of `judged` that the best threshold of `learned` puts right."""
    candidates = [(threshold, above) for threshold, _ in learned for above in (True, False)]
    best = max(candidates, key=lambda rule: _right(learned, *rule))
    return _right(judged, *best) / len(judged)


def _right(timed: Sequence[Timed], threshold: float, above: bool) -> int:  # noqa: FBT001
    return sum(((duration > threshold) == above) == is_known for duration, is_known in timed)
