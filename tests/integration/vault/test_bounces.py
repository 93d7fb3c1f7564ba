"""Delivery reports at the vault's own server: real SMTP, real database, and nothing leaves but ids and codes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosmtplib
import pytest

from services.vault.identities.person import Person
from services.vault.mail.bounces import BounceOptions, BounceServer
from shared.contracts import MailBounced
from shared.ids import NoticeId
from shared.storage import OUTBOX
from tests.support.delivery_reports import Recipient, report
from tests.support.vault_parts import Known, Parts, parts

DOMAIN = "bounces.example"
NOTICE = f"bounce+n-1@{DOMAIN}"
HANAKO = Person("髙﨑 花子", "1600021", "歌舞伎町1-4-1", "0311112222", None, "p3", "Hanako.T@mail.example", "髙﨑 太郎")
TARO = Person("髙﨑 太郎", "1600021", "歌舞伎町1-4-1", "0311112222", 41, None, "Hanako.T@mail.example", None)
ICHIRO = Person("𠮷田 一郎", "1600023", "西新宿2丁目8番1号", "0333334444", 34, None, "ichiro@other.example", None)
PAPER = Person("山田 次郎", "1600023", "西新宿2丁目8番2号", "0333334445", 34, None, None, None)


@pytest.fixture
async def vault(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Parts]:
    async with parts(mongo_url, namespace, tmp_path, []) as wired:
        yield wired


@asynccontextmanager
async def opened(vault: Parts) -> AsyncIterator[aiosmtplib.SMTP]:
    server = BounceServer(BounceOptions("127.0.0.1", 0, DOMAIN), vault.identities, vault.store)
    await server.start()
    try:
        client = aiosmtplib.SMTP(
            hostname="127.0.0.1", port=server.port, timeout=10, start_tls=False, local_hostname="mx.example"
        )
        async with client:
            yield client
    finally:
        await server.stop()


async def brought(vault: Parts, content: bytes, to: str = NOTICE) -> str:
    async with opened(vault) as mx:
        _, reply = await mx.sendmail("", [to], content)
    return reply


async def bounce_events(vault: Parts) -> list[tuple[str, str, str]]:
    said = await vault.said(MailBounced)
    return sorted((each.notice_id, each.token, each.status) for each in said if isinstance(each, MailBounced))


def line(known: Known, status: str, notice: str = "n-1") -> tuple[str, str, str]:
    return (NoticeId(notice), known.token, status)


async def test_a_full_mailbox_leaves_as_notice_token_and_code(vault: Parts) -> None:
    hanako, ichiro = await vault.admit([HANAKO, ICHIRO])
    reply = await brought(vault, report(Recipient("ichiro@other.example", status="5.2.2 (full)")))
    assert reply.startswith("2.0.0")
    assert await bounce_events(vault) == [line(ichiro, "5.2.2")]
    assert hanako.token != ichiro.token


async def test_only_the_reported_recipients_of_a_batch_get_a_bounce_event(vault: Parts) -> None:
    hanako, ichiro, _ = await vault.admit([HANAKO, ICHIRO, PAPER])
    content = report(Recipient("ichiro@other.example"), Recipient("hanako.t@MAIL.example", status="4.4.7"))
    await brought(vault, content, to=f"bounce+batch-7@{DOMAIN}")
    assert await bounce_events(vault) == sorted([line(ichiro, "5.1.1", "batch-7"), line(hanako, "4.4.7", "batch-7")])


async def test_a_bounce_of_a_shared_mailbox_counts_for_each_of_its_applicants(vault: Parts) -> None:
    family = await vault.admit([HANAKO, TARO])
    await brought(vault, report(Recipient("hanako.t@mail.example")))
    assert await bounce_events(vault) == sorted(line(each, "5.1.1") for each in family)


async def test_the_same_report_brought_twice_is_the_same_event(vault: Parts) -> None:
    await vault.admit([ICHIRO])
    for _ in range(2):
        await brought(vault, report(Recipient("ichiro@other.example")))
    lines = [each async for each in vault.store.db[OUTBOX].find({"name": MailBounced.name})]
    assert len(lines) == 2
    assert len({each["event_id"] for each in lines}) == 1


async def test_nothing_that_leaves_or_stays_shows_an_address(vault: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    await vault.admit([ICHIRO])
    await brought(vault, report(Recipient("ichiro@other.example"), Recipient("stranger@far.example")))
    await brought(vault, report(Recipient("stranger@far.example")))
    names = await vault.store.db.list_collection_names()
    kept = [repr(each) for name in names for each in await vault.store.db[name].find().to_list(None)]
    seen = "\n".join([*kept, *capsys.readouterr()])
    assert "bounce-without-holder" in seen
    assert "ichiro" not in seen
    assert "stranger" not in seen


@pytest.mark.parametrize(
    "to",
    [
        "someone@bounces.example",
        "bounce+n-1@elsewhere.example",
        "bounce+@bounces.example",
        "bounce+a/b@bounces.example",
    ],
)
async def test_only_return_addresses_of_ours_are_taken(vault: Parts, to: str) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await brought(vault, report(Recipient("ichiro@other.example")), to=to)
    assert refused.value.recipients[0].code == 550


@pytest.mark.parametrize("content", [b"Subject: I am away\r\n\r\nBack on Monday.\r\n", b"", b"\xff\xfe\r\n"])
async def test_an_answer_by_a_person_or_a_machine_is_taken_and_changes_nothing(vault: Parts, content: bytes) -> None:
    await vault.admit([ICHIRO])
    assert (await brought(vault, content)).startswith("2.0.0")
    assert await bounce_events(vault) == []


async def test_a_sealed_vault_asks_to_come_again(vault: Parts) -> None:
    await vault.admit([ICHIRO])
    vault.keystore.lock()
    with pytest.raises(aiosmtplib.SMTPDataError) as later:
        await brought(vault, report(Recipient("ichiro@other.example")))
    assert later.value.code == 451
    assert "ichiro" not in later.value.message


async def test_after_the_erasure_a_late_report_has_no_holder(vault: Parts) -> None:
    await vault.admit([ICHIRO])
    vault.keystore.destroy_campaign_key(vault.campaign.id)
    assert (await brought(vault, report(Recipient("ichiro@other.example")))).startswith("2.0.0")
    assert await bounce_events(vault) == []
