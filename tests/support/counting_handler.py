"""A handler that leaves marks in the vault's database, so that a test can count how often each event was handled."""

from collections import Counter
from collections.abc import Sequence

from shared.contracts import ApplicationReceived
from shared.errors import PermanentError, TransientError
from shared.ids import ApplicationId
from shared.storage import Store, UnitOfWork, UpdateOne
from tests.support.waiting import until


class Witness:
    """Marks each application once per handling. Messages say by their `key_id` how they want to fail."""

    def __init__(self) -> None:
        self.calls: list[list[ApplicationReceived]] = []

    async def __call__(self, events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
        self.calls.append(list(events))
        marks = [UpdateOne({"_id": event.application_id}, {"$inc": {"times": 1}}, upsert=True) for event in events]
        await uow.db["marks"].bulk_write(marks, session=uow.session)
        if any(event.key_id == "transient" for event in events):
            raise TransientError("not now")
        if any(event.key_id == "unexpected" for event in events):
            raise KeyError("a slip of the programmer")
        if any(event.key_id == "permanent" for event in events):
            raise PermanentError("never")

    def attempts(self, application_id: ApplicationId) -> int:
        """Count the calls of the handler with this application, committed or not."""
        return sum(event.application_id == application_id for call in self.calls for event in call)


async def all_marked(store: Store, count: int) -> None:
    """Wait until `count` applications have been handled and committed."""

    async def there() -> bool:
        return len(await marks(store)) >= count

    await until(there, timeout_s=40)


async def marks(store: Store) -> Counter[ApplicationId]:
    """Count how often each application was handled and committed."""
    return Counter({line["_id"]: line["times"] async for line in store.db["marks"].find()})
