"""Tests of the end of a store: services close theirs in every case, and a closed one stays closed."""

from pathlib import Path

import pytest
from pymongo.errors import InvalidOperation

from shared.storage import Store, StoreUnavailableError
from tests.support.offline_services import BUILDERS, build_offline

NOWHERE = "mongodb://127.0.0.1:1/?directConnection=true"


async def _is_closed(store: Store) -> bool:
    try:
        await store.time()
    except InvalidOperation:
        return True
    except StoreUnavailableError:
        return False
    raise AssertionError("a database answered")


async def test_a_store_is_closed_at_the_end_of_its_block_and_does_not_open_again() -> None:
    async with Store.open(NOWHERE, "kuji", timeout_s=0.1) as store:
        assert not await _is_closed(store)
    assert await _is_closed(store)
    with pytest.raises(InvalidOperation, match="after close"):
        await store.transact(lambda _: store.time())


async def test_a_store_that_was_closed_before_its_first_use_does_not_open() -> None:
    store = Store.open(NOWHERE, "kuji", timeout_s=0.1)
    await store.close()
    assert await _is_closed(store)


@pytest.mark.parametrize("service", BUILDERS)
async def test_a_service_that_cannot_start_closes_its_store(service: str, tmp_path: Path) -> None:
    app, (store,) = build_offline(service, tmp_path, mongo_url=NOWHERE, timeout_s=0.1)
    with pytest.raises(StoreUnavailableError):
        async with app.router.lifespan_context(app):
            pass
    assert await _is_closed(store)
