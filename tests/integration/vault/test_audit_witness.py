"""A witness cosigns what grew, refuses what was cut, and is missed after a day; nothing waits for it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.audit import audit as command
from deploy.witness.server import Witness, make_server
from services.vault.audit import COLLECTION, DATABASE, AuditEvent, AuditLog
from services.vault.audit import Witness as WitnessOfVault
from services.vault.audit.checkpoints import Checkpoints
from services.vault.audit.export import list_logs
from services.vault.audit.folder import CheckpointFolder
from services.vault.audit.repository import AuditRepository
from services.vault.audit.rules.verification import ExportedLog, verify_log
from services.vault.audit.witness_connection import WitnessConnection
from services.vault.closeout.package_format import log_files
from services.vault.keys import rotation
from services.vault.keys.keystore import Keystore
from services.vault.keys.signing_keys import SigningKeys
from shared.clock import FixedClock
from shared.pinned_keys import PinnedKeys
from shared.signing import SigningKey, key_name
from shared.storage import LeaseError
from shared.tlog import NoteKey
from tests.support.databases import own_database
from tests.support.waiting import await_all

KEY = SigningKey.from_bytes(b"\x07" * 32)
LOOK = AuditEvent("suzuki-01", "handler", "reveal:n1", "result-notice", None, "ab12", "revealed")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2018, 6, 1, 9, tzinfo=UTC))


@pytest.fixture
def witness(tmp_path: Path, clock: FixedClock) -> Iterator[WitnessOfVault]:
    """Run a witness; yield it as the vault knows it."""
    made = Witness(tmp_path / "ward", lambda: (KEY.public,), "kuji/witness/ward", clock)
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


@dataclass
class Meeting:
    """Connection of one vault process: just before the witness answers, another process signed and was cosigned."""

    real: WitnessConnection
    before_answer: Callable[[], None]

    def latest(self, origin: str) -> str:
        """Return what the witness knows after the other process."""
        self.before_answer()
        return self.real.latest(origin)

    def add_checkpoint(self, request: str) -> str:
        """Hand it on."""
        return self.real.add_checkpoint(request)


async def test_two_vault_processes_never_take_each_others_checkpoints_for_a_cut(
    mongo_url: str, namespace: str, tmp_path: Path, clock: FixedClock, witness: WitnessOfVault
) -> None:
    folder, loop = tmp_path / "checkpoints", asyncio.get_running_loop()
    assert witness.connection is not None
    async with own_database(mongo_url, f"{namespace}_vault") as store:
        lines = AuditRepository(store)
        other = AuditLog(store, KEY, clock, folder, witness=witness, wall=clock)

        async def signed_and_cosigned() -> None:
            """Sign, and have it cosigned without the lease: the witness knows it, and no file says so yet."""
            await other.record([LOOK] * 5)
            await other.checkpoint()
            beside = CheckpointFolder(folder, lambda: KEY.name, store.db)
            with pytest.raises(LeaseError):
                await witness.converse(lines, Checkpoints(lines, beside, KEY, clock))

        def meet() -> None:
            asyncio.run_coroutine_threadsafe(signed_and_cosigned(), loop).result(30)

        met = replace(witness, connection=Meeting(witness.connection, meet))
        log = AuditLog(store, KEY, clock, folder, witness=met, wall=clock)
        await log.record([LOOK])
        await log.checkpoint()
        assert await log.ask_witness()
        assert not log.is_cut
        last, cosigned = log.folder.signed(1), log.folder.cosigned(1)
        assert (last is not None and cosigned is not None and cosigned.is_of(last), log.hours_without_witness) == (
            True, 0,
        )  # fmt: skip


async def test_of_many_vault_processes_one_asks_at_a_time(
    mongo_url: str, namespace: str, tmp_path: Path, clock: FixedClock, witness: WitnessOfVault
) -> None:
    async with own_database(mongo_url, f"{namespace}_vault") as store:
        logs = [AuditLog(store, KEY, clock, tmp_path / "one", witness=witness, wall=clock) for _ in range(4)]

        async def work(log: AuditLog) -> list[bool]:
            answers = []
            for _ in range(6):
                await log.record([LOOK])
                await log.checkpoint()
                answers.append(await log.ask_witness())
            return answers

        assert all(all(answers) for answers in await await_all(*map(work, logs)))
        assert not logs[0].is_cut


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


async def test_after_the_signing_key_is_rotated_and_the_former_revoked_the_witness_goes_on(
    mongo_url: str, namespace: str, tmp_path: Path, clock: FixedClock
) -> None:
    keys, pins, passphrase = tmp_path / "keys", tmp_path / "pins", "correct horse battery staple"
    keystore = Keystore.open(keys, passphrase)
    old = keystore.signing.public
    pins.write_text(old)
    made = Witness(tmp_path / "ward", PinnedKeys(pins).all, "kuji/witness/ward", clock)
    with make_server(made, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        witness = WitnessOfVault.of(f"http://127.0.0.1:{server.server_address[1]}", made.key.vkey)
        async with own_database(mongo_url, f"{namespace}_vault") as store:
            log = AuditLog(store, keystore.signing, clock, keys / "checkpoints", witness=witness, wall=clock)
            await log.record([LOOK])
            await log.checkpoint()
            assert await log.ask_witness()
            new = rotation.prepare_signing_key(keys, passphrase)
            rotation.activate_signing_key(keys, passphrase)
            await log.checkpoint()
            assert not await log.ask_witness(), "the witness was not told the new key"
            pins.write_text(new)
            SigningKeys(keys).revoke(key_name(old))
            assert await log.ask_witness(), "at once, though no line came"
            part = (await list_logs(log))[0]
            exported = ExportedLog(
                part["lines"], part["checkpoint"], NoteKey.parse(part["key"]), made.key, [part["cosigned"]]
            )
            assert [check for check in verify_log(exported) if not check.passed] == []
            assert NoteKey.parse(part["key"]).public == new
        server.shutdown()
