"""The app of each service without broker and database, for tests that need neither."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from services.intake.app import build as build_intake
from services.intake.settings import IntakeSettings
from services.lottery.app import build as build_lottery
from services.lottery.settings import LotterySettings
from services.notifier.app import build as build_notifier
from services.notifier.settings import NotifierSettings
from services.vault.app import build as build_vault
from services.vault.settings import VaultSettings
from shared.storage import Store
from shared.storage.driver import connect

BUILDERS: dict[str, tuple[Callable[[Any], FastAPI], Any]] = {
    "intake": (build_intake, IntakeSettings),
    "lottery": (build_lottery, LotterySettings),
    "notifier": (build_notifier, NotifierSettings),
    "vault": (build_vault, VaultSettings),
}


def build_offline(service: str, folder: Path, **more: object) -> tuple[FastAPI, list[Store]]:
    """Build the service's app and return it with the stores that it opened."""
    for name in ("token", "passphrase"):
        (folder / name).write_text("a passphrase of the tests")
    build, settings = BUILDERS[service]
    given = {
        "amqp_url": "amqp://127.0.0.1:1",
        "mongo_url": "mongodb://127.0.0.1:1",
        "state_dir": folder,
        "ops_token_file": folder / "token",
        "keystore_dir": folder / "keystore",
        "passphrase_file": folder / "passphrase",
        "relay_ca_file": folder / "token",
        "relay_password_file": folder / "token",
    }
    stores: list[Store] = []
    with _record_opened_stores(stores):
        return build(settings.model_validate(given | more)), stores


@contextmanager
def _record_opened_stores(stores: list[Store]) -> Iterator[None]:
    """Remember every store that is opened: without its lifespan the app closes none."""

    def open_and_remember(url: str, database: str, *, timeout_s: float) -> Store:
        stores.append(Store(connect(url, timeout_s), database))
        return stores[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "open", open_and_remember)
        yield
