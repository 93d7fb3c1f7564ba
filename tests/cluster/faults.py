"""Faults of a scenario: leaders of the broker and of the database, or an instance of each service, killed or frozen."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal, Self

from deploy.local.processes import LocalError
from shared.contracts import SERVICES
from tests.cluster.stack import ClusterStack

Target = Literal["broker", "database", "services"]
Way = Literal["kill", "stop"]

FROZEN_S: Final = 25.0
"""Longer than an election and `net_ticktime` together, so that the others must do without."""

AWAY_S: Final = 20.0

_REPAIRED_S: Final = 300.0


Found = tuple[Sequence[int], Callable[[], None]]
"""Process groups of a target, and what brings it back after it was killed."""


class Faults:
    """Strike the targets once, and bring them back in the background; `struck` says when that was.

    `find` returns a target as it is at the moment of the strike. Leaving the block ends everything that is under way:
    what is frozen goes on, what was killed stays so.
    """

    def __init__(self, find: Callable[[Target], Found], targets: tuple[Target, ...], way: Way) -> None:
        self._find, self._targets, self._way = find, targets, way
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()
        self.struck: float | None = None
        self.errors: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in list(self._threads):
            thread.join(_REPAIRED_S)

    def strike_soon(self, delay_s: float) -> None:
        """Strike after so many seconds, unless that has been done."""
        if self.struck is None and not self._threads:
            self._run(lambda: self._strike(delay_s))

    def await_repair(self, within_s: float = _REPAIRED_S) -> None:
        """Wait until all that was struck runs again. Raises LocalError if something does not."""
        ends = time.monotonic() + within_s
        while self._threads:
            thread = self._threads[0]
            thread.join(max(0.0, ends - time.monotonic()))
            if thread.is_alive():
                raise LocalError(f"what was struck does not run again after {within_s:.0f} s: {self._targets}")
            self._threads.remove(thread)
        if self.errors:
            raise LocalError(f"what was struck was not brought back: {'; '.join(self.errors)}")

    def _strike(self, delay_s: float) -> None:
        if self._over.wait(delay_s):
            return
        found = {target: self._find(target) for target in self._targets}
        self.struck = time.monotonic()
        for groups, repair in found.values():
            for group in groups:
                os.killpg(group, signal.SIGKILL if self._way == "kill" else signal.SIGSTOP)
            self._run(lambda groups=groups, repair=repair: self._repair(groups, repair))  # type: ignore[misc]

    def _repair(self, groups: Sequence[int], repair: Callable[[], None]) -> None:
        if self._way == "stop":
            self._over.wait(FROZEN_S)
            for group in groups:
                os.killpg(group, signal.SIGCONT)
        elif not self._over.wait(AWAY_S):
            repair()

    def _run(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001  (said by await_repair)
                self.errors.append(f"{type(error).__name__}: {error}")

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        self._threads.append(thread)


def find_in(stack: ClusterStack) -> Callable[[Target], Found]:
    """Return what finds the targets in a stack: the leaders of that moment."""
    servers = stack.servers

    def start_instances() -> None:
        for service in SERVICES:
            stack.instances[service, 1].kill()
            stack.start_instance(service, 1)

    def find(target: Target) -> Found:
        if target == "broker":
            node = servers.brokers.leader()
            return [child.pid for child in node.children], lambda: servers.brokers.restart(node)
        if target == "database":
            port = servers.databases.primary()
            return [servers.databases.members[port].pid], lambda: servers.databases.restart(port)
        return [stack.instances[service, 1].pid for service in SERVICES], start_instances

    return find
