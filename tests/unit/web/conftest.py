"""The form's own modules, and those of the verifier."""

from collections.abc import Iterator

import pytest

from tests.support.chance import cached_beacons
from tests.support.node_programs import Ask, bundled


@pytest.fixture(autouse=True, scope="session")
def _cached_beacons() -> Iterator[None]:
    with cached_beacons():
        yield


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    return bundled("asked.ts", tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    return bundled("verify.ts", tmp_path_factory.mktemp("web"))
