"""The driver follows a replica set's own list of members; one on another machine ends the start (R-S8, ADR 55)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from deploy.local.mongodb import MongoDB, require_mongod
from deploy.local.paths import STATE
from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog
from shared.errors import ConfigurationError
from shared.storage import Store


@pytest.fixture
def database(tmp_path: Path) -> Iterator[MongoDB]:
    watchdog = Watchdog()
    server = MongoDB(tmp_path / "database", free_ports(1)[0], require_mongod(STATE), watchdog)
    try:
        server.start()
        server.ready()
        yield server
    finally:
        server.stop()
        watchdog.close()


async def test_a_store_on_this_machine_does_not_go_on_to_a_member_elsewhere_in_the_clear(database: MongoDB) -> None:
    elsewhere = f"2130706433:{database.port}"
    async with Store.open(database.url(), "kuji_probe", timeout_s=10) as store:
        await store.ensure()
    with MongoClient[dict[str, object]](database.url()) as client:
        config = client.admin.command("replSetGetConfig")["config"]
        # 127.0.0.1 as a number, which does not look like this machine: MongoDB takes no member that is really away.
        config.update(version=config["version"] + 1, members=[{**config["members"][0], "host": elsewhere}])
        client.admin.command("replSetReconfig", config)
    async with Store.open(database.url(), "kuji_probe", timeout_s=10) as store:
        with pytest.raises(ConfigurationError, match=r"member on another machine \(2130706433:\d+\).*use TLS"):
            await store.ensure()
    async with Store.open(f"{database.url()}&directConnection=true", "kuji_probe", timeout_s=10) as store:
        await store.ensure()
