"""A service's own database: opened once, closed once, transactions in between."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Self, TypeVar

from shared.logging import describe, get_logger
from shared.storage import driver
from shared.storage.collections import MESSAGE_COLLECTIONS, Collection, ensure
from shared.storage.driver import MAJORITY, SNAPSHOT, Client, Database, PyMongoError, Session, translate_errors
from shared.storage.erased_people import ErasedPeople
from shared.storage.inbox import Inbox
from shared.storage.outbox import Outbox
from shared.storage.server_check import check_server
from shared.storage.tombstones import Tombstones
from shared.storage.work import EventSigner, UnitOfWork

_log = get_logger(__name__)

T = TypeVar("T")
Work = Callable[[UnitOfWork], Awaitable[T]]

TRANSACTION_LIFETIME_S = 10
"""What `transactionLifetimeLimitSeconds` should be on the server (its own default is 60).

A process that is killed leaves its transaction open, and with it the locks that its successor meets, for so long
and half as long again. No transaction of ours takes more than a fraction of it.
"""

_RETRY_S = 20.0
"""Time for which a transaction is repeated by default."""

_ANSWER_S = 5.0
"""Longest wait for an answer by default."""

_AGAIN_S = 0.05

_LONG_S = 3.0
"""A transaction that is still repeated after this time leaves a line in the log, and again after as long."""


class Store:
    """`db` is the driver's database, for reads and single writes; `transact` for everything that belongs together."""

    def __init__(self, client: Client, database: str, *, timeout_s: float = _ANSWER_S, url: str = "") -> None:
        """`timeout_s`: of the client; a commit whose answer was lost is repeated as long, past an election.

        `url`: the connection string of the client, whose members `ensure` looks at.
        """
        self._client, self._timeout_s, self._url = client, timeout_s, url
        self.db: Database = client[database]
        self.inbox, self.outbox, self.tombstones = Inbox(self.db), Outbox(self.db), Tombstones(self.db)
        self.erased_people = ErasedPeople(self.db)
        self._listeners: list[Callable[[], None]] = []
        self._signer: EventSigner | None = None

    @classmethod
    def open(cls, url: str, database: str, *, timeout_s: float = _ANSWER_S) -> Self:
        """Connects when first used; `timeout_s` bounds every single wait."""
        return cls(driver.connect(url, timeout_s), database, timeout_s=timeout_s, url=url)

    def beside(self, suffix: str) -> Database:
        """Return another database of this service, on the same connections: `<database>_<suffix>`."""
        return self._client[f"{self.db.name}_{suffix}"]

    async def ensure(self, collections: Iterable[Collection] = ()) -> None:
        """Bring collections, rules and indexes about; inbox and outbox are always among them.

        Raises ConfigurationError where the server is too old, gives away its memory or leads elsewhere in the clear.
        """
        with translate_errors():
            await check_server(self.db, self._url)
            for collection in (*MESSAGE_COLLECTIONS, *collections):
                await ensure(self.db, collection)

    async def ping(self) -> bool:
        """Check whether a primary answers; for health checks."""
        with suppress(PyMongoError):
            return bool((await self.db.command("ping"))["ok"])
        return False

    async def time(self) -> datetime:
        """Return the time of the server's clock, aware."""
        with translate_errors():
            local_time: datetime = (await self.db.command("hello"))["localTime"]
        return local_time.replace(tzinfo=UTC)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect for good: whatever uses the store afterwards gets the driver's InvalidOperation."""
        self._client.close()

    def when_emitted(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each commit that put something into the outbox."""
        self._listeners.append(listener)

    def sign_events_with(self, signer: EventSigner) -> None:
        """Sign every event that is emitted from now on; without a signature no consumer accepts it."""
        self._signer = signer

    async def transact(self, work: Work[T], *, retry_s: float = _RETRY_S) -> T:
        """Run `work` in one transaction (snapshot read, majority and journal write) and return its result.

        `work` is run again, for up to `retry_s`, where the server took the transaction back (a rival wrote the
        same), and within the store's time-out where the server went away with it (a change of primary). So it must
        change nothing but the database.
        Raises StoreUnavailableError where no server answers, or where the transaction had no turn within that time.
        If `work` raises, the transaction is rolled back and the error propagates.
        """
        with translate_errors():
            async with await self._client.start_session() as session:
                result, emitted = await self._until_done(session, work, retry_s)
        if emitted:
            for listener in self._listeners:
                listener()
        return result

    async def insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Return what `write` does, and send it again, within the store's time-out, while its answer is lost.

        For writes of many documents, which the driver does not repeat, and only where twice is the same as once.
        Raises StoreUnavailableError where no server answers.
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        with translate_errors():
            while True:
                try:
                    return await write()
                except PyMongoError as error:
                    if not driver.is_unanswered(error) or loop.time() - begun > self._timeout_s:
                        raise
                await asyncio.sleep(_AGAIN_S)

    async def _until_done(self, session: Session, work: Work[T], retry_s: float) -> tuple[T, bool]:
        loop, pause_s = asyncio.get_running_loop(), 0.005
        begun = loop.time()
        tell_at = begun + _LONG_S
        while True:
            try:
                return await self._once(session, work)
            except PyMongoError as error:
                within_s = self._timeout_s if driver.is_unanswered(error) else retry_s
                if not driver.may_run_again(error) or loop.time() - begun > within_s:
                    raise
                if loop.time() > tell_at:
                    tell_at += _LONG_S
                    _log.warning("transaction-repeats", **describe(error))
            await asyncio.sleep(random.uniform(0.5, 1.0) * pause_s)  # noqa: S311  (spreads rivals, hides nothing)
            pause_s = min(2 * pause_s, 0.5)

    async def _once(self, session: Session, work: Work[T]) -> tuple[T, bool]:
        session.start_transaction(read_concern=SNAPSHOT, write_concern=MAJORITY)
        try:
            uow = UnitOfWork(self.db, session, self._signer)
            result = await work(uow)
            emitted = await uow.flush()
        except BaseException:
            with suppress(PyMongoError):
                await session.abort_transaction()
            raise
        await self._commit(session)
        return result, emitted

    async def _commit(self, session: Session) -> None:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._timeout_s
        while True:
            try:
                await session.commit_transaction()
            except PyMongoError as error:
                if not driver.may_commit_again(error) or loop.time() > give_up:
                    raise
            else:
                return
