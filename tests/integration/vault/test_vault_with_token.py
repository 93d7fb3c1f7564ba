"""A vault as a process of its own, with its root key in a token: it starts, refuses without it, and tells no PIN."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import free_ports
from services.vault.keys import rotation
from services.vault.keys.access import RootAccess
from services.vault.keys.keystore import Keystore
from services.vault.keys.token import CHECK_S
from shared.contracts import ApplicationsDecided, ApplicationsHeld
from shared.errors import ConfigurationError
from tests.support.identity_builders import CAMPAIGN, content, written
from tests.support.soft_token import PIN, SoftToken
from tests.support.vault_harness import PASSPHRASE, Installation
from tests.support.waiting import until


def environment(installation: Installation, token: SoftToken | None, port: int) -> dict[str, str]:
    """Return the environment of a vault that has a token and no passphrase, or the passphrase alone."""
    settings = installation.settings
    own = {
        "amqp_url": settings.amqp_url.get_secret_value(),
        "mongo_url": settings.mongo_url.get_secret_value(),
        "mongo_database": settings.mongo_database,
        "namespace": settings.namespace,
        "campaigns_dir": settings.campaigns_dir,
        "state_dir": settings.state_dir,
        "keystore_dir": settings.keystore_dir,
        "http_port": port,
        "retry_delays_s": json.dumps(settings.retry_delays_s),
        **({"passphrase_file": settings.passphrase_file} if token is None else token.settings),
    }
    return {**os.environ, **{f"KUJI_{name.upper()}": str(value) for name, value in own.items()}}


def seen_by_others(process: "subprocess.Popen[bytes]") -> str:
    """Return the command line of a process, and its environment as root reads it."""
    return "".join(Path(f"/proc/{process.pid}/{name}").read_text("utf-8") for name in ("cmdline", "environ"))


@contextmanager
def started(variables: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a vault until the block ends; its output goes to `log`."""
    with log.open("wb") as output:
        command = [sys.executable, "-m", "services.vault"]
        process = subprocess.Popen(command, env=variables, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


async def test_a_vault_with_a_token_starts_refuses_without_it_and_tells_no_pin(
    installation: Installation, token: SoftToken, tmp_path: Path
):
    (port,) = free_ports(1)
    log = tmp_path / "vault.log"
    variables = environment(installation, token, port)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:

        async def keys_are_usable() -> bool:
            try:
                report = (await http.get("/health/ready")).json()
            except httpx.TransportError:
                return False
            return bool(report["checks"]["keys"])

        async def keys_are_refused() -> bool:
            return not await keys_are_usable()

        with started(variables, log) as process:
            await until(keys_are_usable, timeout_s=120)
            assert PIN not in seen_by_others(process)
            rotation.rotate_root(
                installation.settings.keystore_dir, token.access()
            )  # another process, as an office does
            await asyncio.sleep(CHECK_S)
            await until(keys_are_usable)
            assert "token-away" not in log.read_text("utf-8")
            token.pull_out()
            await until(keys_are_refused)
            assert process.poll() is None, "it goes on, and so does everything that needs no key"
            token.plug_in()
            await until(keys_are_usable)
    logged = log.read_text("utf-8")
    assert "token-away" in logged
    assert "token-back" in logged
    assert PIN not in logged
    assert not (installation.settings.keystore_dir / "passphrase").exists()

    token.pull_out()
    with started(variables, log) as process:
        assert process.wait(120) == 1
    assert f"vault: no token '{token.label}' answers; plug it in" in log.read_text("utf-8")

    with started(environment(installation, None, port), log) as process:
        assert process.wait(120) == 1
    assert "vault: the root key lies in a token; set KUJI_TOKEN_MODULE" in log.read_text("utf-8")


async def test_an_application_is_opened_by_a_vault_whose_root_key_lies_in_a_token(
    installation: Installation, token: SoftToken
):
    installation.settings = installation.settings.model_copy(update={"passphrase_file": None, **token.settings})
    async with installation.vault() as http:
        event = installation.received(await installation.sealing_key(http), written(content()))
        await installation.say(event)
        decided = await installation.items("intake", ApplicationsDecided, 1)
        assert decided[event.receipt].status == "complete"
        assert (await http.get("/health/ready")).json()["alarms"]["root_key_outside_token"] == 0
        assert (await http.get("/v1/audit")).status_code == 200


async def test_a_key_that_the_token_lacks_is_not_called_an_erasure(installation: Installation, token: SoftToken):
    """Take the campaign's key out of the token, as in a copy of it from before the campaign."""
    settings = installation.settings.model_copy(update={"passphrase_file": None, **token.settings})
    installation.settings = settings
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        first, held = (
            installation.received(key, written(content(applicant=content()["applicant"] | {"email": mail})))
            for mail in ("ichiro@mail.example", "ichiro@other.example")
        )
        for event in (first, held):
            await installation.say(event)
            await installation.said_everything()
        await installation.items("lottery", ApplicationsHeld, 1)
    kept = json.loads((settings.keystore_dir / "campaigns" / f"{CAMPAIGN}.json").read_bytes())
    token.open().destroy(kept["key"])
    async with installation.vault() as http:
        path = f"/v1/campaigns/{CAMPAIGN}/held/{held.application_id}"
        answer = await http.post(path, json={"decision": "accept", "reason": "namesake"})
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:kuji:problem:campaign-key-gone")
    assert answer.headers["retry-after"]
    assert "消去されました" not in answer.text


async def test_a_key_folder_that_is_not_yet_in_the_token_raises_an_alarm(installation: Installation, token: SoftToken):
    Keystore.open(installation.settings.keystore_dir, PASSPHRASE)
    async with installation.vault(**token.settings) as http:
        assert (await http.get("/health/ready")).json()["alarms"]["root_key_outside_token"] == 1


def test_a_vault_without_passphrase_and_token_says_what_it_needs(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="KUJI_PASSPHRASE_FILE"):
        Keystore.open(tmp_path / "keys", RootAccess())
