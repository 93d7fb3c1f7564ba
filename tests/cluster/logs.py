"""Faults that only the logs of the services show: messages that were parked or set aside, lines that are no JSON."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

BROKEN: Final = frozenset({"message-parked", "message-untrusted", "audit-log-cut"})
"""Events of which none may occur, whatever dies."""


def faults_in(logs: Iterable[Path]) -> list[str]:
    """Return one sentence for each kind of fault, with its count."""
    found = Counter[str]()
    for log in logs:
        for line in log.read_text("utf-8", "replace").splitlines():
            try:
                event = json.loads(line)["event"]
            except (ValueError, KeyError, TypeError):
                found[f"no JSON in {log.name}"] += 1
                continue
            if event in BROKEN:
                found[f"{event} in {log.name}"] += 1
    return [f"{what}: {count}" for what, count in sorted(found.items())]
