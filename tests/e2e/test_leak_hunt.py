"""R-C2: people who carry canaries go through a whole run, and are then looked for everywhere they must not be.

The hunt is shown to see by finding them where they belong: in the memory of the vault, and in their own mail.
"""

import asyncio
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aio_pika
import httpx
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from pymongo import MongoClient
from rich.console import Console

from deploy.demo import evidence, notice_phases, phases
from deploy.demo.application import DemoApplication
from deploy.demo.chance import enter_dice
from deploy.demo.facts import Facts
from deploy.demo.installation import open_staff_client
from deploy.demo.invariants import check
from deploy.demo.people import needles, population
from deploy.demo.phases import EventRun
from deploy.demo.progress import PhaseProgress
from deploy.demo.rehearsal import SAMPLE, rehearsal_of
from deploy.demo.run import QUICK, count_acknowledged, installation_of
from deploy.local.processes import Watchdog
from deploy.local.stack import Options, Stack
from deploy.people.invented import HANDLER, RESPONSIBLE
from services.vault.audit.repository import COLLECTION as AUDIT
from shared.campaign import Campaign
from shared.clock import set_rehearsal_clock
from shared.codes import format_code
from shared.contracts import ApplicationReceived
from shared.erasure import ERASURES
from shared.messaging.names import Names
from shared.service_keys import PUBLIC_KEYS
from shared.storage import INBOX, OUTBOX
from shared.storage.collections import TOMBSTONES
from tests.support.leak_search import Sought, bytes_of, hunt_documents, hunt_files, hunt_memory, seek
from tests.support.waiting import until

SIZE = 240
BLIND = ("intake", "lottery", "notifier")
DESK = ("/desk", "/desk/papers", "/desk/doubts", "/desk/applicants", "/desk/requests", "/desk/people")
"""Pages of lists and forms that open nobody."""


@dataclass(frozen=True)
class Run:
    """A finished run before its close-out: everything is still there to be searched."""

    stack: Stack
    campaign: Campaign
    facts: Facts
    applications: list[DemoApplication]
    sought: Sought
    play: EventRun
    careless: Sought
    error_bodies: bytes


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    home = tmp_path_factory.mktemp("hunt")
    campaign = rehearsal_of(SAMPLE, home / "campaigns")
    clock_file = home / "clock.json"
    set_rehearsal_clock(clock_file, campaign.window.opens + timedelta(hours=1))
    applications, sought = _people(campaign, SIZE)
    careless, careless_sought = _people(campaign, 20)
    options = Options(home / "campaigns", clock_file, more=QUICK)
    with Watchdog() as watchdog, Stack(home, options, watchdog=watchdog) as stack:
        bodies = asyncio.run(_provoke_errors(stack.url("intake"), campaign, careless))
        facts, play = asyncio.run(_until_all_are_notified(stack, campaign, applications, home))
        yield Run(stack, campaign, facts, applications, sought, play, careless_sought, bodies)


def _people(campaign: Campaign, size: int) -> tuple[list[DemoApplication], Sought]:
    """People with a canary of their own, and what to look for."""
    canary = f"qz{secrets.token_hex(4)}kanaria"
    applications = population(campaign, secrets.randbelow(1000), size, canary)
    identities = {f"{n} {value[:3]}": value for n, value in enumerate(needles(applications, canary))}
    return applications, seek(identities | _codes(applications))


def _codes(applications: Iterable[DemoApplication]) -> dict[str, str]:
    """Return the codes as JSON and as people write them."""
    return {
        f"code {number}{form[4]}": form
        for number, application in enumerate(applications)
        for form in (application.code, format_code(application.code))
    }


async def _until_all_are_notified(
    stack: Stack, campaign: Campaign, applications: list[DemoApplication], home: Path
) -> tuple[Facts, EventRun]:
    stage = PhaseProgress(Console(quiet=True))
    async with open_staff_client(installation_of(stack, campaign)) as staff:
        play = EventRun(staff, home)
        with stage.phase("all", "everything", len(applications)) as counter:
            await notice_phases.release_templates(play)
            taken = await phases.take_applications(play, applications, counter)
            await phases.await_verdicts(play, len(applications), counter)
            await notice_phases.await_acknowledgements(play, count_acknowledged(applications), counter)
            desk = await phases.decide_held(play, counter)
            await phases.freeze(play)
            await enter_dice(play.staff)
            await phases.draw(play)
            await phases.keep_published(play)
            await notice_phases.await_results(play, await notice_phases.readable(play), counter)
            facts = await evidence.facts(play, taken, desk)
    return facts, play


async def _provoke_errors(url: str, campaign: Campaign, applications: list[DemoApplication]) -> bytes:
    """Send people in the clear in every place of a request, as a careless client might.

    These are other people than those of the run: what a stranger pours into intake unsealed passes its memory.
    """
    path = f"/v1/campaigns/{campaign.id}/applications"
    said = b""
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        for application in applications:
            person = json.loads(application.plaintext) if application.plaintext.endswith(b"}") else {}
            clear = application.plaintext.decode("utf-8", "replace")
            for answer in (
                await client.post(path, json=person),
                await client.post(path, json={"v": 2, "application_id": clear, "key_id": clear, "sealed": clear}),
                await client.post(path, content=application.plaintext),
                await client.get(f"/v1/applications/{clear[:60]}"),
                await client.post(f"{path}?channel={clear[:40]}", json={}),
            ):
                assert answer.is_error
                said += answer.content + str(answer.headers).encode()
    return said


def test_the_run_itself_was_right(run: Run):
    assert [invariant.name for invariant in check(run.facts) if not invariant.holds] == []


def test_the_hunt_sees_the_vault_and_the_mail(run: Run):
    """Otherwise finding nothing elsewhere would mean nothing."""
    vault = hunt_memory(run.stack.pid("vault"), "vault", run.sought)
    assert vault.read > 10_000_000
    assert vault.findings
    assert hunt_files(run.stack.servers.mailbox, run.sought)
    assert hunt_files(run.stack.servers.mailbox, seek(_codes(run.applications))) == []


@pytest.mark.parametrize("service", BLIND)
def test_nobody_is_in_the_memory_of_the_blind_services(run: Run, service: str):
    scan = hunt_memory(run.stack.pid(service), service, run.sought)
    assert scan.read > 10_000_000
    assert list(scan.findings) == []


def test_nobody_is_on_the_brokers_disk(run: Run):
    data = run.stack.servers.rabbitmq.home
    assert sum(path.stat().st_size for path in data.rglob("*") if path.is_file()) > 100_000
    assert hunt_files(data, run.sought) == []


def test_nobody_is_in_any_database_not_even_the_vaults(run: Run):
    """Search the vault's documents like those of the other services: it stores ciphertext."""
    documents, found = 0, []
    with MongoClient[dict[str, Any]](run.stack.servers.mongo_url) as client:
        for database in (f"kuji_{store}" for store in (*BLIND, "vault", "vault_audit")):
            for name in client[database].list_collection_names():
                for raw in client[database][name].find():
                    documents += 1
                    found += run.sought.find(f"{database}.{name}", bytes_of(raw))
    assert documents > SIZE * 4
    assert found == []


def test_nobody_is_in_the_stores_that_signing_and_erasing_brought(run: Run):
    """Search inbox, outbox and audit log by name, the key folders of the services, and what they set aside unsigned."""
    with MongoClient[dict[str, Any]](run.stack.servers.mongo_url) as client:
        for service in (*BLIND, "vault"):
            database = client[f"kuji_{service}"]
            assert {INBOX, OUTBOX, TOMBSTONES} <= set(database.list_collection_names())
            assert database[INBOX].count_documents({"campaign": run.campaign.id}) > 0, "inbox lines name their campaign"
        assert client["kuji_vault_audit"][AUDIT].count_documents({}) > 0
        assert hunt_documents(client["kuji_vault_audit"][AUDIT], run.sought) == []
    for folder in run.stack.secrets.service_keys.folders.values():
        assert (folder / PUBLIC_KEYS).stat().st_size > 0
        assert hunt_files(folder, run.sought) == []


def test_nobody_is_in_the_record_of_a_foreign_message(run: Run):
    """Publish people in the clear past all services, as a foreign program might; the vault keeps no word of it."""
    applications, sought = _people(run.campaign, 5)
    record = asyncio.run(_set_aside(run.stack.servers.amqp_url, applications))
    assert record.body == b""
    assert sought.find("record", bytes_of(dict(record.headers)) + str(record.info()).encode()) == []
    assert hunt_files(run.stack.home / "logs", sought) == []


async def _set_aside(amqp_url: str, applications: list[DemoApplication]) -> AbstractIncomingMessage:
    """Publish one foreign message to the vault and return the record of it, which stays in its queue."""
    names, body = Names(), b"\n".join(application.plaintext for application in applications)
    headers = {name: body.decode("utf-8", "replace")[:2000] for name in ("kuji-event-id", "kuji-signature", "kuji-key")}
    async with await aio_pika.connect(amqp_url, timeout=10) as connection, connection.channel() as channel:
        message = aio_pika.Message(body, headers=headers, type=ApplicationReceived.name)
        await channel.default_exchange.publish(message, names.queue("vault", ApplicationReceived))
        await until(lambda: _has_record(channel, names.untrusted("vault")))
        record = await (await channel.get_queue(names.untrusted("vault"), ensure=False)).get()
        await record.nack(requeue=True)
        return record


async def _has_record(channel: AbstractChannel, queue: str) -> bool:
    return bool((await channel.declare_queue(queue, passive=True)).declaration_result.message_count)


def test_nobody_is_in_a_log_or_an_error_or_a_published_file(run: Run):
    assert (run.stack.home / "logs" / "vault.log").exists()
    assert hunt_files(run.stack.home / "logs", run.sought) == []
    assert len(run.error_bodies) > 1000
    assert run.careless.find("error bodies", run.error_bodies) == []
    assert hunt_files(run.stack.home / "logs", run.careless) == []
    transcript = run.play.output / "transcript.json"
    assert run.sought.find("transcript", transcript.read_bytes()) == []


@pytest.mark.parametrize("person", [HANDLER, RESPONSIBLE])
def test_no_list_of_the_desk_shows_anybody_and_no_page_of_it_is_kept(run: Run, person: str):
    """Names are shown where one person is opened for a purpose, and nowhere before."""
    answers = asyncio.run(_desk(run, person))
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(DESK, 200)
    assert {answer.headers["cache-control"] for answer in answers.values()} == {"no-store"}
    assert [one for path, answer in answers.items() for one in run.sought.find(path, answer.content)] == []


async def _desk(run: Run, person: str) -> dict[str, httpx.Response]:
    async with open_staff_client(installation_of(run.stack, run.campaign), run.play.staff.team) as staff:
        headers = await staff.by(person).headers("vault")
    async with httpx.AsyncClient(
        base_url=run.stack.url("vault"), timeout=30, headers=headers, follow_redirects=True
    ) as client:
        return {path: await client.get(path) for path in DESK}


def test_a_planted_leak_is_found(run: Run, tmp_path: Path):
    """Write one name into one log line, as a careless change might."""
    log = (run.stack.home / "logs" / "intake.log").read_bytes()
    (tmp_path / "intake.log").write_bytes(log + b'{"event":"greeted","name":' + run.applications[0].plaintext + b"}\n")
    assert hunt_files(tmp_path, run.sought)


def test_after_the_close_out_nothing_decrypts(run: Run):
    """Last, because it takes everything away. A thief's copy of the database from before is useless afterwards."""
    with MongoClient[dict[str, Any]](run.stack.servers.mongo_url) as client:
        stolen = client["kuji_vault"]["identities"].find_one()
        assert stolen is not None
        certificate = asyncio.run(_close_out(run))
        assert certificate["verdict"] == "PASS"
        assert client["kuji_vault"]["identities"].count_documents({}) == 0
        for service in (*BLIND, "vault"):
            assert hunt_documents(client[f"kuji_{service}"][TOMBSTONES], run.sought) == []
            for name in (INBOX, OUTBOX):
                left = client[f"kuji_{service}"][name].count_documents({"campaign": run.campaign.id})
                assert left == 0, f"{service}.{name}"
            if service in BLIND:
                assert hunt_documents(client[f"kuji_{service}"][ERASURES], run.sought) == []
        client["kuji_vault"]["identities"].insert_one(stolen)
    assert not list((run.stack.keystore / "campaigns").glob("*.json"))
    run.stack.restart("vault")
    vault = hunt_memory(run.stack.pid("vault"), "vault", run.sought)
    assert list(vault.findings) == []


async def _close_out(run: Run) -> dict[str, Any]:
    async with open_staff_client(installation_of(run.stack, run.campaign), run.play.staff.team) as staff:
        play = EventRun(staff, run.play.output)
        await phases.return_to_ward(play)
        certificate = await phases.erase(play)
        assert [each.name for each in await evidence.after_erasure(staff) if not each.holds] == []
        return certificate
