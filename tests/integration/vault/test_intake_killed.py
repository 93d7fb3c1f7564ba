"""Kill a vault in the middle of its work: the next one finishes it, and publishes each verdict once."""

import asyncio
import os
import signal
import sys

from shared.contracts import ApplicationsDecided, ContactsRegistered
from tests.integration.vault.test_intake import somebody
from tests.support.vault_harness import Installation
from tests.support.waiting import until

PEOPLE = 300
LONGEST_S = 300
"""A server with its own defaults keeps the locks of a killed process for 60 s; a busy machine takes longer for all."""


def environment(installation: Installation) -> dict[str, str]:
    """Return the installation's settings for a process of its own."""
    settings = installation.settings
    return {
        "PATH": os.environ["PATH"],
        "KUJI_AMQP_URL": installation.amqp_url,
        "KUJI_MONGO_URL": installation.mongo_url,
        "KUJI_MONGO_DATABASE": settings.mongo_database,
        "KUJI_NAMESPACE": installation.namespace,
        "KUJI_CAMPAIGNS_DIR": str(settings.campaigns_dir),
        "KUJI_STATE_DIR": str(settings.state_dir),
        "KUJI_SERVICE_KEYS_DIR": str(settings.service_keys_dir),
        "KUJI_KEYSTORE_DIR": str(settings.keystore_dir),
        "KUJI_PASSPHRASE_FILE": str(settings.passphrase_file),
        "KUJI_RETRY_DELAYS_S": "[1, 2]",
    }


async def test_a_vault_killed_amid_three_hundred_applications_loses_none_and_repeats_none(installation: Installation):
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
    events = [installation.received(key, somebody(number)) for number in range(PEOPLE)]
    doomed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.vault", env=environment(installation), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await installation.say(*events)

        async def some_judged() -> bool:
            return await installation.store.db["applications"].count_documents({}) > 0

        await until(some_judged)
    finally:
        doomed.send_signal(signal.SIGKILL)
        await doomed.wait()
    judged = await installation.store.db["applications"].count_documents({})
    async with installation.vault():
        decided = await installation.distinct_items("intake", ApplicationsDecided, PEOPLE, timeout_s=LONGEST_S)
        contacts = await installation.distinct_items("notifier", ContactsRegistered, PEOPLE, timeout_s=LONGEST_S)
        await installation.said_everything()
        stored = await installation.store.db["identities"].count_documents({})
    assert 0 < judged < PEOPLE
    assert {item.status for item in decided.values()} == {"complete"}
    assert len({item.token for item in contacts.values()}) == stored == PEOPLE
