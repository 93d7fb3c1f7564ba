"""A witness cosigns what grew, refuses what was cut, and is missed after a day; nothing waits for it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.audit import audit as command
from deploy.witness.server import Witness, make_server
from services.vault.audit import COLLECTION, DATABASE, AuditEvent, AuditLog
from services.vault.audit import Witness as WitnessOfVault
from services.vault.audit.export import list_logs
from services.vault.closeout.package_format import log_files
from shared.clock import FixedClock
from shared.signing import SigningKey
from tests.support.databases import own_database

KEY = SigningKey.from_bytes(b"\x07" * 32)
LOOK = AuditEvent("suzuki-01", "handler", "reveal:n1", "result-notice", None, "ab12", "revealed")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2018, 6, 1, 9, tzinfo=UTC))


@pytest.fixture
def witness(tmp_path: Path, clock: FixedClock) -> Iterator[WitnessOfVault]:
    """Run a witness; yield it as the vault knows it."""
    made = Witness(tmp_path / "ward", KEY.public, "kuji/witness/ward", clock)
    with make_server(made, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield WitnessOfVault.of(f"http://127.0.0.1:{server.server_address[1]}", made.key.vkey)
        server.shutdown()


async def test_a_witness_cosigns_and_proves_that_the_log_was_set_back(
    mongo_url: str, namespace: str, tmp_path: Path, clock: FixedClock, witness: WitnessOfVault
) -> None:
    async with own_database(mongo_url, f"{namespace}_vault") as store:
        log = AuditLog(store, KEY, clock, tmp_path / "checkpoints", witness=witness, wall=clock)
        for count in (3, 4):
            await log.record([LOOK] * count)
            await log.checkpoint()
            assert await log.ask_witness()
        for name, content in [part for one in await list_logs(log) for part in log_files(one).items()]:
            (tmp_path / name).write_bytes(content)
        result = CliRunner().invoke(command, ["verify", str(tmp_path), "--key", KEY.public])
        assert (result.exit_code, "cosigned 7 lines" in result.output) == (0, True), result.output
        await store.beside(DATABASE)[COLLECTION].delete_many({"_id": {"$gt": 10**12 + 5}})
        set_back = AuditLog(store, KEY, clock, tmp_path / "restored", witness=witness, wall=clock)
        assert (await set_back.checkpoint()) is not None, "key folder and database were set back together"
        assert not await set_back.ask_witness()
        cut = set_back.folder.cut(1)
        assert cut is not None
        assert (cut.reason, cut.size) == ("witness-knows-more", 7)


async def test_a_witness_that_is_away_for_a_day_is_an_alarm_and_stops_nothing(
    mongo_url: str, namespace: str, tmp_path: Path, clock: FixedClock, witness: WitnessOfVault
) -> None:
    away = replace(witness, connection=WitnessOfVault.of("http://127.0.0.1:1", witness.key.vkey).connection)  # type: ignore[union-attr]
    async with own_database(mongo_url, f"{namespace}_vault") as store:
        log = AuditLog(store, KEY, clock, tmp_path / "checkpoints", witness=away, wall=clock)
        await log.record([LOOK])
        assert await log.checkpoint() is not None
        assert not await log.ask_witness()
        clock.at += timedelta(hours=23)
        assert await log.alarms["audit_hours_without_witness"]() == 0
        clock.at += timedelta(hours=2)
        assert await log.alarms["audit_hours_without_witness"]() == 25
        await log.record([LOOK])
        assert await log.checkpoint() is not None
        log.witness = witness
        assert await log.ask_witness()
        assert await log.alarms["audit_hours_without_witness"]() == 0
