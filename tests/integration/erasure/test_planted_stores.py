"""A record of the campaign is planted in each store of intake, lottery and notifier: no PASS while it is there.

The list of stores is the vault's; tests/contract/test_erasure_stores.py compares it with the code of each service.
"""

from pathlib import Path

import pytest

from services.vault.closeout.rules.certificate import worst
from services.vault.closeout.rules.required_stores import OTHER_SERVICES, REQUIRED_STORES, answered_rows
from shared.contracts.closing import DELIVERIES, PARKED, QUEUES, RATE_LIMITS
from tests.support.planting import PlantedService, planted_service

ALL = [(service, store) for service in OTHER_SERVICES for store in sorted(REQUIRED_STORES[service])]
MEASURED = [(service, store) for service, store in ALL if store != RATE_LIMITS]
"""Counts of requests after the tombstone are of no campaign; those from before are deleted (second test)."""

DELETED = [(service, store) for service, store in ALL if store not in {PARKED, DELIVERIES, QUEUES}]


async def _results(planted: PlantedService) -> dict[str, str]:
    """Return the vault's judgement of each store in the last answer."""
    measured = (await planted.service.published())[-1]
    assert measured.phase == "measured"
    return {row.store: row.result for row in answered_rows(measured.service, measured, contradicted=False)}


@pytest.mark.parametrize(("name", "store"), MEASURED)
async def test_a_record_that_is_there_at_the_measurement_prevents_the_pass(
    name: str, store: str, mongo_url: str, namespace: str, tmp_path: Path
) -> None:
    async with planted_service(name, mongo_url, namespace, tmp_path) as planted:
        await planted.service.ask("erased")
        await planted.service.work()
        await planted.plant(store)
        await planted.service.ask("measured")
        await planted.service.work()
        results = await _results(planted)
    assert [row for row, result in results.items() if result != "PASS"] == [store]
    assert worst(results.values()) == ("UNKNOWN" if store == QUEUES else "FAIL")  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "store"), DELETED)
async def test_a_record_from_before_the_erasure_is_counted_and_deleted(
    name: str, store: str, mongo_url: str, namespace: str, tmp_path: Path
) -> None:
    async with planted_service(name, mongo_url, namespace, tmp_path) as planted:
        await planted.plant(store)
        _, measured = await planted.service.answers()
        results = await _results(planted)
    counted = {row.store: (row.before, row.after) for row in measured.stores}
    assert counted[store] == (1, 0)
    assert set(results.values()) == {"PASS"}
