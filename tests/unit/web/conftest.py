"""The form's own modules, and those of the verifier."""

import pytest

from tests.support.node_programs import Ask, bundled


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    return bundled("asked.ts", tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    return bundled("verify.ts", tmp_path_factory.mktemp("web"))
