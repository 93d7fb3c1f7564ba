"""A vault of its own process for the tests that stop and kill one: marks each application, says what it decided.

Ends by SIGTERM as services do. An application whose `key_id` is `poison` kills the process without a word;
`slow` ones take a while, so that there is work in flight.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from shared.contracts import ApplicationReceived
from shared.ids import derived_event_id
from shared.messaging import Batch, Bus
from shared.service_keys import ServiceKey
from shared.settings import ServiceSettings
from shared.storage import Store, UnitOfWork, UpdateOne
from tests.support.messaging_harness import decided


async def handle(events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
    marks = [UpdateOne({"_id": event.application_id}, {"$inc": {"times": 1}}, upsert=True) for event in events]
    await uow.db["marks"].bulk_write(marks, session=uow.session)
    for event in events:
        await uow.emit(decided(event.application_id), derived_event_id("decided", event.application_id))
    if any(event.key_id == "poison" for event in events):
        os.kill(os.getpid(), signal.SIGKILL)
    if any(event.key_id == "slow" for event in events):
        await asyncio.sleep(0.15)


async def serve() -> None:
    settings = ServiceSettings()
    store = Store.open(settings.mongo_url.get_secret_value(), settings.mongo_database)
    bus = Bus(settings, "vault", store)
    bus.consume(ApplicationReceived, handle, Batch(size=10, wait_s=0.01))
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with store, bus:
        await stopping.wait()


async def commit_and_die(count: int) -> None:
    """Commit events to the outbox and die before anything is published."""
    settings = ServiceSettings()
    store = Store.open(settings.mongo_url.get_secret_value(), settings.mongo_database)
    store.sign_events_with(ServiceKey(settings.service_keys_dir, "vault"))

    async def work(uow: UnitOfWork) -> None:
        for number in range(count):
            application = f"0b6f2a52-5d0b-4b6c-9d3a-{number:012x}"
            await uow.emit(decided(application), derived_event_id("decided", application))

    await store.transact(work)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(commit_and_die(int(sys.argv[1])) if len(sys.argv) > 1 else serve())
