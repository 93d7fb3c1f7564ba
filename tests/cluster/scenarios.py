"""Scenarios of the suite: where in the event which leaders are killed or frozen."""

from dataclasses import dataclass
from itertools import product
from typing import Final

from tests.cluster.faults import Target, Way

DELAYS_S: Final = {"apply": 3.0, "draw": 0.2, "notify": 1.0, "erase": 0.2}
"""Phases in which something is struck, and how long after their beginning (erasure: after it was ordered)."""

_TARGETS: Final[dict[str, tuple[Target, ...]]] = {
    "broker": ("broker",),
    "database": ("database",),
    "both": ("broker", "database"),
}


@dataclass(frozen=True)
class Scenario:
    """`phase`: where it strikes; None: nowhere."""

    name: str
    phase: str | None = None
    targets: tuple[Target, ...] = ()
    way: Way = "kill"


def all_scenarios() -> dict[str, Scenario]:
    """Return all scenarios by name, `quiet` first."""
    found = [Scenario("quiet")]
    for phase, (name, targets), way in product(DELAYS_S, _TARGETS.items(), ("kill", "stop")):
        found.append(Scenario(f"{phase}-{name}-{way}", phase, targets, "kill" if way == "kill" else "stop"))
    found += [Scenario(f"{phase}-services-kill", phase, ("services",)) for phase in DELAYS_S]
    return {scenario.name: scenario for scenario in found}


def chosen(names: list[str]) -> list[Scenario]:
    """Return the scenarios with these names or beginnings of names; all if none is named. Raises LookupError."""
    known = all_scenarios()
    if not names:
        return list(known.values())
    found = [scenario for scenario in known.values() if any(scenario.name.startswith(name) for name in names)]
    if not found:
        raise LookupError(f"no such scenario; there are {', '.join(known)}")
    return found
