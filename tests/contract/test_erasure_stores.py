"""The vault's list of stores beside what each service really counts: a new store cannot be forgotten on either side."""

import pytest

from services.intake.collections import COLLECTIONS as INTAKE
from services.intake.erasure import ERASED_COLLECTIONS as INTAKE_ERASED
from services.lottery.draw import collections as draws
from services.lottery.erasure import PERSONAL as LOTTERY_ERASED
from services.lottery.places import repository as places
from services.lottery.reception import repository as reception
from services.notifier.collections import COLLECTIONS as NOTIFIER
from services.notifier.collections import PERSONAL as NOTIFIER_ERASED
from services.vault.closeout.measuring import ERASED as VAULT_ERASED
from services.vault.closeout.rules.required_stores import (
    DELAY_QUEUES,
    PACKAGES,
    REQUIRED_STORES,
    SAMPLES,
    SANDBOX,
    SPOOL,
)
from shared.contracts import SERVICES
from shared.contracts.closing import OWN_STORES, RATE_LIMITS

COUNTED = {
    "intake": {*INTAKE_ERASED, RATE_LIMITS},
    "lottery": {*LOTTERY_ERASED, RATE_LIMITS},
    "notifier": set(NOTIFIER_ERASED),
    "vault": {*VAULT_ERASED, PACKAGES, SPOOL, SANDBOX, SAMPLES, DELAY_QUEUES},
}

KEPT = {
    "intake": {"campaigns"},
    "notifier": {"campaign_locks"},
    "lottery": {
        "draws", "past_draws", "lists", "texts", "stamps", "history", "leases", "scan_counters", "notice_counts",
    },
}  # fmt: skip
"""Collections that stay: the campaign's stage and locks, and the public record of the draw. None holds a person."""


@pytest.mark.parametrize("service", SERVICES)
def test_the_vault_requires_exactly_the_stores_that_the_service_counts(service: str) -> None:
    assert REQUIRED_STORES[service] == COUNTED[service] | set(OWN_STORES)


@pytest.mark.parametrize(
    ("service", "declared"),
    [
        ("intake", {collection.name for collection in INTAKE}),
        ("notifier", {collection.name for collection in NOTIFIER}),
        (
            "lottery",
            {collection.name for part in (draws, places, reception) for collection in part.collections()},
        ),
    ],
)
def test_every_collection_of_a_service_is_erased_or_stays_for_a_stated_reason(service: str, declared: set[str]) -> None:
    assert declared == (COUNTED[service] & declared) | KEPT[service]
