"""Each service and the broker are killed in mid-run (SIGKILL): nothing accepted is lost, nothing is done twice."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from deploy.demo import evidence, notice_phases, phases
from deploy.demo.application import DemoApplication
from deploy.demo.chance import enter_dice
from deploy.demo.facts import Facts
from deploy.demo.installation import StaffClient, open_staff_client
from deploy.demo.invariants import check
from deploy.demo.people import population
from deploy.demo.phases import EventRun
from deploy.demo.progress import PhaseProgress
from deploy.demo.rehearsal import SAMPLE, rehearsal_of, until
from deploy.demo.run import QUICK, count_acknowledged, installation_of
from deploy.local.processes import Watchdog
from deploy.local.stack import Options, Stack
from services.vault.mail.room import Pace
from shared.clock import set_rehearsal_clock
from shared.contracts import SERVICES

SIZE = 500
PATIENT = {**QUICK, "KUJI_LEASE_S": "5", "KUJI_MTA_LEASE_S": "15"}


@dataclass(frozen=True)
class Aftermath:
    facts: Facts
    mailbox: Path
    killed: tuple[str, ...]
    doubles_parked: int
    doubtful: frozenset[str]


class Killer:
    """Kills a service when enough has happened, and starts it again."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.killed: list[str] = []

    async def strike(self, service: str) -> None:
        await asyncio.to_thread(self._stack.kill, service)
        await asyncio.to_thread(self._stack.restart, service)
        self.killed.append(service)

    async def strike_broker(self) -> None:
        """Kill the broker and start it again on the same data; the services connect again by themselves."""
        await asyncio.to_thread(self._stack.servers.rabbitmq.restart)
        self.killed.append("broker")


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    home = tmp_path_factory.mktemp("fault")
    campaign = rehearsal_of(SAMPLE, home / "campaigns")
    clock_file = home / "clock.json"
    set_rehearsal_clock(clock_file, campaign.window.opens + timedelta(hours=1))
    applications = population(campaign, 11, SIZE)
    options = Options(home / "campaigns", clock_file, more=PATIENT)
    with Watchdog() as watchdog, Stack(home, options, watchdog=watchdog) as stack:
        yield asyncio.run(_play(stack, applications, home))


async def _play(stack: Stack, applications: list[DemoApplication], home: Path) -> Aftermath:
    killer = Killer(stack)
    stage = PhaseProgress(Console(quiet=True))
    async with open_staff_client(installation_of(stack, rehearsal_of(SAMPLE, home / "campaigns"))) as staff:
        play = EventRun(staff, home)
        with stage.phase("all", "everything", len(applications)) as counter:
            await notice_phases.release_templates(play)
            arriving = asyncio.create_task(phases.take_applications(play, applications, counter))
            await _once_decided(staff, SIZE // 10)
            await killer.strike("intake")
            await _once_decided(staff, SIZE // 3)
            await killer.strike("vault")
            taken = await arriving
            await phases.await_verdicts(play, SIZE, counter)
            await notice_phases.await_acknowledgements(play, count_acknowledged(applications), counter)
            acknowledged = await _sent(staff)
            doubtful = await _doubtful(staff)  # before the results replace these acknowledgements
            desk = await phases.decide_held(play, counter)
            await phases.freeze(play)
            await enter_dice(staff)
            drawing = asyncio.create_task(phases.draw(play))
            await asyncio.sleep(0.05)
            await killer.strike("lottery")
            await asyncio.wait([drawing])
            if drawing.exception() and (await staff.get("lottery", "draw"))["state"] == "frozen":
                await phases.draw(play)  # the request died with the process, and people repeat it
            await until(
                lambda: staff.get("lottery", "draw"), lambda d: d["state"] == "published",
                within_s=60, what="results",
            )  # fmt: skip
            await phases.keep_published(play)
            await until(lambda: _sent(staff), lambda n: n >= acknowledged + 20, within_s=60, what="mails", every_s=0.05)
            await killer.strike("notifier")
            await killer.strike("vault")
            await killer.strike_broker()
            await notice_phases.await_results(play, await notice_phases.readable(play), counter)
            facts = await evidence.facts(play, taken, desk)
    parked = sum(_parked(stack, service) for service in SERVICES)
    return Aftermath(facts, stack.servers.mailbox, tuple(killer.killed), parked, doubtful)


def _parked(stack: Stack, service: str) -> int:
    """Return the number of parked messages, as monitoring reads it."""
    headers = {"Authorization": f"Bearer {stack.secrets.ops[service]}"}
    answer = httpx.get(f"{stack.url(service)}/v1/queues", headers=headers, timeout=20).raise_for_status()
    return int(answer.json()["queues"][f"{service}.parked"])


async def _once_decided(staff: StaffClient, count: int) -> None:
    async def ask() -> int:
        summary = await staff.get("vault", "summary")
        return sum(summary["applications"].values())

    await until(ask, lambda decided: decided >= count, within_s=60, what="verdicts", every_s=0.05)


async def _doubtful(staff: StaffClient) -> frozenset[str]:
    """Return the receipt numbers of which a mail may or may not have arrived."""
    notices = await staff.get_all("notifier", "notices", "notices")
    return frozenset(str(each["receipt"]) for each in notices if each["state"] == "unknown")


async def _sent(staff: StaffClient) -> int:
    return int((await staff.get("notifier", "summary"))["notices"].get("sent", 0))


def test_every_service_and_the_broker_were_killed_in_mid_run(aftermath: Aftermath):
    assert set(aftermath.killed) == {"intake", "vault", "lottery", "notifier", "broker"}


def test_nothing_is_lost_and_nothing_contradicts_itself(aftermath: Aftermath):
    """Check all invariants of the demo except for applications whose mail is in doubt and is never sent again."""
    broken = [each for each in check(_without_doubtful(aftermath.facts, aftermath.doubtful)) if not each.holds]
    assert [f"{each.name}: {each.detail}" for each in broken] == []


def _without_doubtful(facts: Facts, acknowledgements: frozenset[str]) -> Facts:
    """Return the facts without the applications of which a mail may or may not have arrived.

    A result replaces an acknowledgement in doubt, so those are named by receipt number. The vault counts slips
    without applications, so its count is left out.
    """
    receipts = {notice.receipt for notice in facts.notices if notice.state == "unknown"} | acknowledgements
    doubtful = {name for name, status in facts.statuses.items() if status.receipt in receipts}
    return replace(
        facts,
        sent=[each for each in facts.sent if each.application_id not in doubtful],
        statuses={name: status for name, status in facts.statuses.items() if name not in doubtful},
        outcomes={name: outcomes for name, outcomes in facts.outcomes.items() if name not in receipts},
        notices=[notice for notice in facts.notices if notice.receipt not in receipts],
        texts=[text for text in facts.texts or () if not text.receipts & receipts],
        vault_count=None,
    )


def test_no_more_mails_are_in_doubt_than_were_under_way(aftermath: Aftermath):
    """Count at most the group each worker sends and the one whose outcomes it writes; the vault was killed twice."""
    acknowledgements = len(aftermath.doubtful)
    results = Counter(each.state for each in aftermath.facts.notices if each.kind != "acknowledgement")["unknown"]
    most = 2 * Pace.workers * Pace.commit
    assert acknowledgements <= most
    assert results <= most
    assert acknowledgements + results < len(aftermath.facts.notices) / 2


def test_nobody_got_a_mail_twice(aftermath: Aftermath):
    """By what arrived: each message id once, and each mailbox twice (acknowledgement, result) per application."""
    messages, recipients = Counter[str](), Counter[str]()
    for envelope in aftermath.mailbox.glob("*.json"):
        arrived = json.loads(envelope.read_text("utf-8"))["rcpt_tos"]
        recipients.update(address for address in arrived if not address.endswith("@office.example"))  # mails to staff
        message = message_from_bytes(envelope.with_suffix(".eml").read_bytes(), policy=policy.default)
        messages[str(message["Message-ID"])] += 1
    named = Counter(
        json.loads(each.plaintext)["applicant"]["email"]
        for each in aftermath.facts.sent
        if each.plaintext.endswith(b"}") and "email" in json.loads(each.plaintext)["applicant"]
    )
    assert len(messages) > 20
    assert [name for name, times in messages.items() if times > 1] == []
    assert {name: times for name, times in recipients.items() if times > 2 * named[name]} == {}


def test_nothing_was_parked(aftermath: Aftermath):
    assert aftermath.doubles_parked == 0
