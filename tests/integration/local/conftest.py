import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkouts import Checkout


@pytest.fixture(autouse=True)
def private_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use private servers also where external ones are configured."""
    for name in [name for name in os.environ if name.startswith("KUJI_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout.make(tmp_path / "one")
    yield made
    made.clear()


@pytest.fixture
def neighbour(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout.make(tmp_path / "two")
    yield made
    made.clear()
