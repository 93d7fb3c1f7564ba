"""Invariants of a run: conditions that hold afterwards, whatever happened in between. Pure."""

from collections import Counter
from collections.abc import Iterator

from deploy.demo.application import Expected
from deploy.demo.facts import Facts, Invariant, Status, report
from deploy.demo.text_invariants import check_texts
from shared.ids import Receipt

FINAL_STATES = frozenset({"sent", "posted"})
"""States in which the applicant was told."""

SLIP_KINDS = frozenset({"result", "offer", "place-won", "correction", "offer-expired", "place-withdrawn"})

RESULTS = frozenset({"result", "rejected"})
"""Kinds that tell an applicant what became of the application."""


def check(facts: Facts) -> list[Invariant]:
    return [
        *_verdicts(facts),
        *_one_outcome_each(facts),
        *_capacities(facts),
        *_one_notice_each(facts),
        *check_texts(facts),
        *_vault_count(facts),
        *_transcript(facts),
    ]


def _verdicts(facts: Facts) -> Iterator[Invariant]:
    """Compare each status with the rules: it follows from the own content alone, and after the draw says so."""
    wrong = []
    for application in facts.sent:
        shown = facts.statuses.get(application.application_id, Status("absent"))
        own = application.expected.own_status
        expected = "drawn" if own == "complete" else own
        reasons_agree = application.expected.own_reasons <= shown.reasons
        if shown.status != expected or not reasons_agree:
            wrong.append(f"{application.application_id} ({shown.status}, expected {expected})")
    yield Invariant(
        "every status is the one that the own content gives", not wrong, report(wrong, f"{len(facts.sent)} compared")
    )


def _one_outcome_each(facts: Facts) -> Iterator[Invariant]:
    """Check R-B8: exactly one outcome per class for each accepted application, and no other outcome."""
    asked = {facts.receipt_of(each.application_id): each.expected for each in facts.sent if facts.is_drawn(each)}
    wrong = [str(receipt) for receipt, expected in asked.items() if not _is_complete(facts, receipt, expected)]
    strangers = [str(receipt) for receipt in facts.outcomes if receipt not in asked]
    yield Invariant(
        "every accepted application has exactly one outcome per class",
        not wrong and not strangers,
        report(wrong + strangers, f"{sum(map(len, facts.outcomes.values()))} outcomes of {len(asked)} applications"),
    )


def _capacities(facts: Facts) -> Iterator[Invariant]:
    taken: Counter[str] = Counter()
    for outcomes in facts.outcomes.values():
        for outcome in outcomes:
            if outcome.outcome == "won":
                taken[outcome.class_id] += outcome.seats
    over = [each.id for each in facts.campaign.classes if taken[each.id] > each.capacity]
    seats = ", ".join(f"{each.id} {taken[each.id]}/{each.capacity}" for each in facts.campaign.classes)
    yield Invariant("no class is over capacity", not over, report(over, seats))


def _one_notice_each(facts: Facts) -> Iterator[Invariant]:
    told = [notice for notice in facts.notices if notice.kind in RESULTS and notice.state != "replaced"]
    counts = Counter(notice.receipt for notice in told)
    due = {facts.receipt_of(each.application_id) for each in facts.sent if facts.result_kind(each)}
    wrong = [receipt for receipt in due | set(counts) if counts[receipt] != (1 if receipt in due else 0)]
    yield Invariant(
        "everyone in the draw, rejected or withdrawn has exactly one notice of that",
        not wrong,
        report(wrong, f"{len(told)} notices"),
    )
    open_ = [f"{notice.receipt} ({notice.state})" for notice in told if notice.state not in FINAL_STATES]
    states = Counter(notice.state for notice in told)
    yield Invariant("every applicant was told (sent or posted)", not open_, report(open_, str(dict(states))))


def _vault_count(facts: Facts) -> Iterator[Invariant]:
    """Compare the vault's count, which does not go through the notifier, with notices and verdicts."""
    if facts.vault_count is None:
        return
    count = facts.vault_count
    kinds = Counter(notice.kind for notice in facts.notices if notice.state != "replaced")
    slips = sum(number for kind, number in kinds.items() if kind in SLIP_KINDS)
    wrong = [
        *count.differences,
        *_unequal("slips delivered or superseded", count.delivered + count.superseded, count.issued),
        *_unequal("notices with a slip", slips, count.delivered),
        *_unequal("rejections delivered", count.rejected_delivered, count.rejected),
        *_unequal("notices of a rejection", kinds["rejected"], count.rejected),
    ]
    seen = f"{count.issued} slips issued, {count.delivered} delivered, {count.rejected} rejections delivered"
    yield Invariant(
        "the vault counts every slip issued and every rejection as delivered", not wrong, report(wrong, seen)
    )


def _unequal(name: str, seen: int, expected: int) -> list[str]:
    return [] if seen == expected else [f"{seen} {name}, expected {expected}"]


def _is_complete(facts: Facts, receipt: Receipt, expected: Expected) -> bool:
    """Return True if there is one outcome for each class, in the order of the last version's choices."""
    outcomes = facts.outcomes.get(receipt, ())
    chosen = [class_id for class_id in expected.asked if class_id not in expected.refused]
    refused = Counter(outcome.class_id for outcome in outcomes if outcome.outcome == "refused")
    in_order = [outcome.class_id for outcome in outcomes if outcome.outcome != "refused"]
    return in_order == chosen and refused == Counter(expected.refused)


def _transcript(facts: Facts) -> Iterator[Invariant]:
    failed = [name for name, passed in facts.transcript_checks if not passed]
    holds = bool(facts.transcript_checks) and not failed
    yield Invariant("the transcript verifies", holds, report(failed, f"{len(facts.transcript_checks)} checks"))
