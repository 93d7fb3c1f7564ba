"""A vault or a mail server killed while mails leave: none is lost or sent twice, what may have left is unknown."""

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path

from services.vault.deliveries.repository import COLLECTION
from shared.messaging.topology import declare
from tests.support.mail_room_harness import mail_desk, person
from tests.support.mail_server import MailServer
from tests.support.service_keys import keys_dir
from tests.support.vault_parts import SAMPLE
from tests.support.waiting import until

PEOPLE = 72


def environment(amqp_url: str, mongo_url: str, namespace: str, folder: Path, smtp_port: int) -> dict[str, str]:
    """Return the variables of the vault's process."""
    (folder / "passphrase").write_text("a passphrase of the tests", "utf-8")
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path.cwd()),
        "KUJI_AMQP_URL": amqp_url,
        "KUJI_MONGO_URL": mongo_url,
        "KUJI_MONGO_DATABASE": f"{namespace}_vault",
        "KUJI_NAMESPACE": namespace,
        "KUJI_CAMPAIGNS_DIR": str(folder / "campaigns"),
        "KUJI_STATE_DIR": str(folder / "state"),
        "KUJI_KEYSTORE_DIR": str(folder / "keys"),
        "KUJI_PASSPHRASE_FILE": str(folder / "passphrase"),
        "KUJI_SERVICE_KEYS_DIR": str(keys_dir()),
        "KUJI_MTA_HOST": "127.0.0.1",
        "KUJI_MTA_PORT": str(smtp_port),
        "KUJI_MTA_SECURITY": "none",
        "KUJI_MTA_SESSIONS": "4",
    }


async def test_a_vault_killed_while_mails_leave_loses_none_and_repeats_none(
    amqp_url: str, mongo_url: str, namespace: str, tmp_path: Path
) -> None:
    async with MailServer() as server, mail_desk(mongo_url, namespace, tmp_path, server.port) as desk:
        await declare(amqp_url, namespace)
        known = await desk.vault.admit([person(number, f"slow{number}@mail.example") for number in range(PEOPLE)])
        documents = [desk.result(one) for one in known]
        variables = environment(amqp_url, mongo_url, namespace, tmp_path, server.port)
        doomed = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.vault", env=variables, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            await desk.order(*documents)
            await until(lambda: len(server.mails) >= 4, 60)
        finally:
            doomed.send_signal(signal.SIGKILL)
            await doomed.wait()
        rows = desk.vault.store.db[COLLECTION]
        committing = await rows.count_documents({"state": "committing"})
        await rows.update_many({"mark": {"$exists": True}}, [{"$set": {"until": {"$subtract": ["$$NOW", 1]}}}])
        async with desk.running(sessions=12):

            async def all_answered() -> bool:
                return await rows.count_documents({"state": {"$in": ["sent", "unknown"]}}) == PEOPLE

            await until(all_answered, 120)
        unknown = await rows.count_documents({"state": "unknown"})
    assert unknown == committing > 0
    received = Counter(mail.recipients for mail in server.mails)
    assert set(received.values()) == {1}
    assert PEOPLE - unknown <= len(received) <= PEOPLE


async def test_a_mail_server_killed_while_mails_leave_takes_each_mail_once(
    mongo_url: str, namespace: str, tmp_path: Path
) -> None:
    sessions, people = 4, 32
    async with MailServer() as server, mail_desk(mongo_url, namespace, tmp_path, server.port) as desk:
        known = await desk.vault.admit([person(number, f"slow{number}@mail.example") for number in range(people)])
        rows = desk.vault.store.db[COLLECTION]

        async def all_answered() -> bool:
            return await rows.count_documents({"state": {"$in": ["sent", "unknown"]}}) == people

        async with desk.running(sessions=sessions):
            await desk.order(*(desk.result(one) for one in known))
            await until(lambda: len(server.mails) >= sessions, 60)
            await server.close()
            await server.open(server.port)
            await until(all_answered, 120)
        unknown = await rows.count_documents({"state": "unknown"})
    assert unknown <= sessions
    received = Counter(mail.recipients for mail in server.mails)
    assert set(received.values()) == {1}
    assert people - unknown <= len(received) <= people
