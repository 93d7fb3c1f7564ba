"""The vault's list of stores beside what each service really counts: a new store cannot be forgotten on either side."""

import pytest

from services.intake.collections import COLLECTIONS as INTAKE
from services.intake.erasure import ERASED_COLLECTIONS as INTAKE_ERASED
from services.intake.person_erasure import PERSON_STORES as INTAKE_PEOPLE
from services.lottery.draw import collections as draws
from services.lottery.erasure import PERSONAL as LOTTERY_ERASED
from services.lottery.person_erasure import PERSON_STORES as LOTTERY_PEOPLE
from services.lottery.places import repository as places
from services.lottery.reception import repository as reception
from services.notifier.collections import COLLECTIONS as NOTIFIER
from services.notifier.collections import PERSONAL as NOTIFIER_ERASED
from services.notifier.person_erasure import PERSON_STORES as NOTIFIER_PEOPLE
from services.vault.closeout.measuring import ERASED as VAULT_ERASED
from services.vault.closeout.rules.required_stores import (
    DELAY_QUEUES,
    PACKAGES,
    REQUIRED_STORES,
    SAMPLES,
    SANDBOX,
    SPOOL,
)
from services.vault.person_erasure.repository import PersonNames
from services.vault.person_erasure.rules.certificate import REQUIRED
from services.vault.person_erasure.stores import queries_about
from services.vault.printroom.repository import CHUNKS
from shared.contracts import SERVICES
from shared.contracts.closing import OWN_STORES, PARKED, RATE_LIMITS

COUNTED = {
    "intake": {*INTAKE_ERASED, RATE_LIMITS},
    "lottery": {*LOTTERY_ERASED, RATE_LIMITS},
    "notifier": set(NOTIFIER_ERASED),
    "vault": {*VAULT_ERASED, PACKAGES, SPOOL, SANDBOX, SAMPLES, DELAY_QUEUES},
}

OF_PEOPLE = {"intake": INTAKE_PEOPLE, "lottery": LOTTERY_PEOPLE, "notifier": NOTIFIER_PEOPLE}

KEPT = {
    "intake": {"campaigns"},
    "notifier": {"campaign_locks"},
    "lottery": {
        "draws", "past_draws", "lists", "texts", "stamps", "history", "leases", "searches", "scan_counters",
        "notice_counts",
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


@pytest.mark.parametrize("service", OF_PEOPLE)
def test_the_certificate_of_one_person_requires_exactly_the_stores_that_the_service_counts(service: str) -> None:
    assert REQUIRED[service] == {*OF_PEOPLE[service], PARKED}


def test_the_vault_certifies_every_store_that_it_empties_of_one_person() -> None:
    assert REQUIRED["vault"] == {*queries_about(PersonNames("W-7K3M-9Q2P-6")), CHUNKS, PARKED}
