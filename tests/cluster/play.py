"""Play one scenario: the demo's event on the cluster, with a fault in one phase, and what was seen of it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console

from deploy.demo.application import DemoApplication
from deploy.demo.installation import Installation, StaffClient, make_team
from deploy.demo.people import population
from deploy.demo.phases import EventRun
from deploy.demo.progress import PhaseBar, PhaseProgress
from deploy.demo.rehearsal import SAMPLE, rehearsal_of
from deploy.demo.report import Report
from deploy.demo.run import QUICK, installation_of, play_event
from deploy.local import runs
from deploy.local.stack import Options
from deploy.people.team import Team
from shared.campaign import Campaign
from shared.clock import set_rehearsal_clock
from shared.json_types import JsonObject
from tests.cluster.faults import Faults, find_in
from tests.cluster.logs import faults_in
from tests.cluster.scenarios import DELAYS_S, Scenario
from tests.cluster.stack import ClusterStack
from tests.cluster.watch import MailSteps, Steps, Watch

SEED: Final = 777
_UNAVAILABLE, _AGAIN = 503, 8
_TELLS: Final = ("/summary", "/draw", "/erasure")
"""Ends of the addresses at which staff see how far something is."""


@dataclass
class Seen:
    """Result of one scenario. Times in seconds; `parked` and `unknown` are counts at the end of the notices."""

    scenario: str
    broken: list[str] = field(default_factory=list)
    gaps: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    steps_gap: float | None = None
    refused: dict[str, int] = field(default_factory=dict)
    unknown: int | None = None
    copies: str = ""
    error: str = ""
    seconds: float = 0.0

    @property
    def gap(self) -> float:
        """Longest interruption of any kind."""
        return max([*self.gaps.values(), self.steps_gap or 0.0], default=0.0)

    @property
    def holds(self) -> bool:
        """Return True if the event came to its end and every invariant holds."""
        return not self.broken and not self.error


class _Phases(PhaseProgress):
    """Progress that strikes in the scenario's phase, and waits for repair before the phase after it begins."""

    def __init__(self, console: Console, scenario: Scenario, faults: Faults, mailbox: Path) -> None:
        super().__init__(console)
        self._scenario, self._faults, self._mailbox = scenario, faults, mailbox
        self.steps = Steps()
        self.was_late = False
        """True if the phase was over before the strike."""

    @property
    def struck_phase(self) -> str | None:
        """Return the phase in which something is struck."""
        return self._scenario.phase

    @contextmanager
    def phase(self, name: str, title: str, total: int | None = None) -> Iterator[PhaseBar]:
        """Show a phase; strike in it where the scenario says so."""
        if name != self._scenario.phase:
            with super().phase(name, title, total) as bar:
                yield bar
            return
        if name != "erase":  # there the order comes first, see PatientStaff
            self._faults.strike_soon(DELAYS_S[name])
        mails = MailSteps(self._mailbox, self.steps) if name == "notify" else None
        self.steps.begin()
        try:
            if mails is not None:
                mails.start()
            with super().phase(name, title, total) as bar:
                yield _CountingBar(bar.progress, bar.task, self.steps)
            self.steps.end()
            self.was_late = self._faults.struck is None
        finally:
            if mails is not None:
                mails.stop()
        self._faults.await_repair()


@dataclass(frozen=True)
class _CountingBar(PhaseBar):
    """Bar that also notes when something moved on."""

    steps: Steps

    def step(self, by: int = 1) -> None:
        super().step(by)
        self.steps.step()


class PatientStaff(httpx.AsyncHTTPTransport):
    """Staff who press the button again after an answer 503, as the page says. Tells when the erasure is ordered.

    What they are told of the applications, draw and notices is a step where it is new.
    """

    def __init__(self, faults: Faults, phase: str | None, steps: Steps) -> None:
        super().__init__()
        self._faults, self._phase, self._steps, self._told = faults, phase, steps, dict[str, bytes]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and again while the answer is 503."""
        answer = await super().handle_async_request(request)
        for _ in range(_AGAIN):
            if answer.status_code != _UNAVAILABLE:
                break
            await answer.aread()
            await asyncio.sleep(float(answer.headers.get("retry-after", "1")))
            answer = await super().handle_async_request(request)
        is_order = request.method == "POST" and request.url.path.endswith("/erasure") and answer.is_success
        if is_order and self._phase == "erase":
            self._faults.strike_soon(DELAYS_S["erase"])
        if request.method == "GET" and answer.is_success and request.url.path.endswith(_TELLS):
            content = await answer.aread()
            if self._told.get(request.url.path) != content:
                self._told[request.url.path] = content
                self._steps.step()
        return answer


def play(scenario: Scenario, home: Path, size: int, console: Console) -> Seen:
    """Play the event with this scenario and return what was seen; errors are part of it."""
    seen, started = Seen(scenario.name), time.monotonic()
    campaign = rehearsal_of(SAMPLE, home / "campaigns")
    clock_file = home / "clock.json"
    set_rehearsal_clock(clock_file, campaign.window.opens + timedelta(hours=1))
    options = Options(home / "campaigns", clock_file, more=QUICK)
    with runs.watchdog(home) as watchdog:
        stack = ClusterStack(home, options, watchdog=watchdog, grows=scenario.phase is None)
        try:
            with stack.running():
                seen.copies = _fewest_copies(stack)
                _play_on(stack, scenario, seen, population(campaign, SEED, size), console, campaign)
        except Exception as error:  # noqa: BLE001  (a line of the table)
            seen.error = "; ".join(f"{type(one).__name__}: {one}" for one in _leaves(error))[:600]
    seen.broken += faults_in(stack.service_logs())
    seen.seconds = round(time.monotonic() - started, 1)
    return seen


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors of a group, and of the groups in it."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _play_on(
    stack: ClusterStack,
    scenario: Scenario,
    seen: Seen,
    applications: list[DemoApplication],
    console: Console,
    campaign: Campaign,
) -> None:
    faults = Faults(find_in(stack), scenario.targets, scenario.way)
    watch = Watch(stack.own_ports)
    progress = _Phases(console, scenario, faults, stack.servers.mailbox)
    output = stack.home / "output"
    output.mkdir(exist_ok=True)
    before = stack.refused()
    try:
        with watch, faults:
            report = asyncio.run(_event(installation_of(stack, campaign), faults, progress, applications, output))
    finally:
        seen.gaps, seen.reasons = watch.gaps, watch.reasons
        seen.steps_gap = progress.steps.gap if scenario.phase is not None else None
        try:
            seen.refused = {service: count - before[service] for service, count in stack.refused().items()}
        except OSError as error:  # the scenario's own end is said first
            seen.broken.append(f"refused requests were not counted: {type(error).__name__}")
    seen.broken += [f"{one.name}: {one.detail}" for one in report.invariants if not one.holds]
    seen.unknown = count_unknown(report.summaries)
    if scenario.phase is not None and (faults.struck is None or progress.was_late):
        seen.broken.append("the phase was over before the fault")


async def _event(
    installation: Installation,
    faults: Faults,
    progress: _Phases,
    applications: list[DemoApplication],
    output: Path,
) -> Report:
    team = _hold_while_signing_in(await make_team(installation), progress.steps)
    patient = PatientStaff(faults, progress.struck_phase, progress.steps)
    async with httpx.AsyncClient(timeout=httpx.Timeout(60, connect=5), transport=patient) as client:
        return await play_event(EventRun(StaffClient(installation, client, team), output), applications, progress)


def _hold_while_signing_in(team: Team, steps: Steps) -> Team:
    """Return the team, for whom a wait for the next one-time code (up to 30 s) is no gap of the services."""
    sign_in_again = team.sign_in_again

    async def held(person: str) -> None:
        with steps.held():
            await sign_in_again(person)

    team.sign_in_again = held  # type: ignore[method-assign]
    return team


def count_unknown(summaries: JsonObject) -> int:
    """Return the number of notices and mails in the state `unknown`, wherever a summary counts them."""

    def count(value: object) -> int:
        if not isinstance(value, dict):
            return 0
        return sum(
            content if name == "unknown" and isinstance(content, int) else count(content)
            for name, content in value.items()
        )

    return count(summaries["notifier"]) + count(summaries["vault"])


def _fewest_copies(stack: ClusterStack) -> str:
    """Return the fewest copies of a queue that the services themselves report."""
    token = stack.secrets.ops_file("vault").read_text("utf-8").strip()
    answer = httpx.get(f"{stack.url('vault')}/v1/queues", headers={"Authorization": f"Bearer {token}"}, timeout=20)
    copies = answer.raise_for_status().json()["copies"]
    return f"{min(copies['online'].values())} of {copies['wished']}"
