"""Each thing the demo says must hold can be seen to break."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.demo.invariants import Facts, Notice, Status, check
from deploy.demo.people import DemoApplication, population
from shared.campaign import load_campaign
from shared.contracts import Outcome
from shared.ids import ApplicationId, ClassId

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
PEOPLE = population(CAMPAIGN, 3, 200)


def right() -> Facts:
    """Return the facts of a flawless run in which no application won."""
    status = {each.application_id: _status(each) for each in PEOPLE}
    accepted = [each for each in PEOPLE if status[each.application_id].status == "accepted"]
    return Facts(
        campaign=CAMPAIGN,
        sent=PEOPLE,
        statuses=status,
        desk={each.application_id: "reject" for each in PEOPLE if each.expected.status == "held"},
        outcomes={each.application_id: _lost(each) for each in accepted},
        notices=[Notice(each.application_id, "mailed") for each in PEOPLE if each.expected.readable],
        transcript_checks=[("root", True)],
    )


def _status(each: DemoApplication) -> Status:
    if each.expected.status == "accepted":
        return Status("accepted")
    return Status("rejected", frozenset(each.expected.reasons))


def _lost(each: DemoApplication) -> list[Outcome]:
    return [Outcome(class_id=ClassId(name), outcome="lost", seats=1, reason="drawn") for name in each.expected.asked]


FACTS = right()
SOMEBODY = next(iter(FACTS.outcomes))


def won(count: int) -> dict[ApplicationId, list[Outcome]]:
    """More winners than the ten places of the escort kids."""
    prize = Outcome(class_id=ClassId("escort-kids"), outcome="won", seats=1)
    return {
        name: [prize] if number < count else list(told) for number, (name, told) in enumerate(FACTS.outcomes.items())
    }


def broken(facts: Facts) -> set[str]:
    return {each.name for each in check(facts) if not each.holds}


def test_a_flawless_run_breaks_nothing():
    assert broken(FACTS) == set()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda f: replace(f, statuses={**f.statuses, SOMEBODY: Status("rejected")}), "verdict"),
        (lambda f: replace(f, statuses={k: v for k, v in f.statuses.items() if k != SOMEBODY}), "verdict"),
        (lambda f: replace(f, outcomes={k: v for k, v in f.outcomes.items() if k != SOMEBODY}), "exactly one outcome"),
        (lambda f: replace(f, outcomes={**f.outcomes, SOMEBODY: [*f.outcomes[SOMEBODY]] * 2}), "exactly one outcome"),
        (lambda f: replace(f, outcomes={**f.outcomes, ApplicationId("x"): []}), "exactly one outcome"),
        (lambda f: replace(f, outcomes=won(11)), "over capacity"),
        (lambda f: replace(f, notices=f.notices[1:]), "exactly one notice"),
        (lambda f: replace(f, notices=[*f.notices, f.notices[0]]), "exactly one notice"),
        (lambda f: replace(f, notices=[*f.notices[1:], Notice(f.notices[0].application_id, "unknown")]), "final state"),
        (lambda f: replace(f, mail_leaks=["000001"]), "names one of them"),
        (lambda f: replace(f, transcript_checks=[("root", False)]), "transcript"),
        (lambda f: replace(f, transcript_checks=[]), "transcript"),
    ],
)
def test_a_broken_invariant_is_named(change: Callable[[Facts], Facts], name: str):
    assert any(name in each for each in broken(change(FACTS)))


def test_ten_winners_of_ten_places_are_fine():
    assert not any("capacity" in name for name in broken(replace(FACTS, outcomes=won(10))))
