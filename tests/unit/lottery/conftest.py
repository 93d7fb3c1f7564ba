"""Fixtures of the lottery's unit tests."""

from collections.abc import Iterator

import pytest

from tests.support.chance import cached_beacons


@pytest.fixture(autouse=True, scope="session")
def _cached_beacons() -> Iterator[None]:
    with cached_beacons():
        yield
