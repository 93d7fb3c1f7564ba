"""Measure interruptions from outside: how long no instance of a service is ready, and how long nothing moves on."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from tests.cluster.stack import failed_checks

_EVERY_S: Final = 0.25
_ANSWER_S: Final = 3.0


@dataclass
class Watch:
    """Ask each instance of each service again and again, at `ports` by service and number.

    `gaps`: the longest time without a ready instance, by service; all of it for a service that never was ready.
    `reasons`: what the instances answered most often in that time: names of checks that failed, or `no answer`.
    """

    ports: Mapping[tuple[str, int], int]
    gaps: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    _answers: dict[str, Counter[str]] = field(default_factory=dict)
    _seen: dict[str, float] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _noting: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        services = {service for service, _ in self.ports}
        self.gaps, self._seen = dict.fromkeys(services, 0.0), dict.fromkeys(services, time.monotonic())
        self._answers = {service: Counter() for service in services}
        self._threads = [threading.Thread(target=self._ask, args=each, daemon=True) for each in self.ports]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        ended = time.monotonic()
        self._stopping.set()
        for thread in self._threads:
            thread.join(2 * _ANSWER_S)
        for service in self._seen:
            self._note(service, ended)

    def _ask(self, service: str, number: int) -> None:
        while not self._stopping.wait(_EVERY_S):
            missing = self._missing(service, number)
            if missing:
                self._answers[service][missing] += 1
            else:
                self._note(service, time.monotonic())

    def _note(self, service: str, now: float) -> None:
        with self._noting:
            last, answers = self._seen[service], self._answers[service]
            if now - last > self.gaps[service]:
                self.gaps[service] = now - last
                self.reasons[service] = "; ".join(reason for reason, _ in answers.most_common(2))
            answers.clear()
            self._seen[service] = max(last, now)

    def _missing(self, service: str, number: int) -> str:
        """Return what keeps an instance from being ready; an empty text for one that is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[service, number], timeout=_ANSWER_S)
        try:
            connection.request("GET", "/health/ready")
            return ", ".join(failed_checks(connection.getresponse().read()))
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return "no answer"
        finally:
            connection.close()


@dataclass
class Steps:
    """Moments of one phase at which something moved on: a receipt, a verdict, a mail.

    `gap`: the longest time between two of them, and to the beginning and end of the phase.
    """

    gap: float = 0.0
    _last: float | None = None

    def begin(self) -> None:
        """Begin the phase; nothing counts before."""
        self._last = time.monotonic()

    def step(self) -> None:
        """Note that something moved on."""
        now = time.monotonic()
        if self._last is not None:
            self.gap, self._last = max(self.gap, now - self._last), now

    @contextmanager
    def held(self) -> Iterator[None]:
        """Leave the time within the block out."""
        began = time.monotonic()
        yield
        if self._last is not None:
            self._last += time.monotonic() - began

    def end(self) -> None:
        """End the phase; nothing counts after."""
        self.step()
        self._last = None


class MailSteps(threading.Thread):
    """Note new mails in the mailbox of the mail server as steps, until `stop`."""

    def __init__(self, folder: Path, steps: Steps) -> None:
        super().__init__(daemon=True)
        self._folder, self._stopping, self.steps = folder, threading.Event(), steps

    def run(self) -> None:
        """Count files."""
        seen = -1
        while not self._stopping.wait(_EVERY_S):
            count = sum(1 for _ in self._folder.rglob("*.eml"))
            if count != seen:
                seen = count
                self.steps.step()

    def stop(self) -> None:
        """End the watch."""
        self._stopping.set()
        self.join(5)
