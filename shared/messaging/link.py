"""Connection to the broker, opened when it is needed and again after it was lost.

aio-pika's own `connect_robust` restores consumers behind our back and keeps publishes waiting; here whoever
needs the broker asks for the connection, and learns in bounded time that there is none.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.connection import make_url

from shared.errors import KujiError
from shared.logging import describe, get_logger
from shared.messaging.addresses import host_of, parse_addresses
from shared.messaging.broker_version import check_version
from shared.messaging.errors import BrokerUnavailableError
from shared.messaging.malformed_frames import tolerate

_log = get_logger(__name__)

HEARTBEAT_S = 10
"""A dead peer is noticed after about three of these."""

MOVE_ON_S = 2.0
"""Longest wait for one node where there are others: a frozen node must not use up the caller's time."""

_GOODBYE_S = 2.0


class Link:
    """One connection with one shared channel. `timeout_s` bounds opening either.

    `url` may name several nodes of a cluster (`parse_addresses`): after a node that does not answer comes the next.
    """

    def __init__(self, url: str, name: str, timeout_s: float, *, confirms: bool = False) -> None:
        self._addresses, self._name, self._confirms = parse_addresses(url), name, confirms
        self.has_other_nodes = len(self._addresses) > 1
        self.timeout_s = min(timeout_s, MOVE_ON_S) if self.has_other_nodes else timeout_s
        """Longest wait for an answer of one node."""
        self._node = 0
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()
        self._farewells: set[asyncio.Task[None]] = set()
        self._drop_listeners: set[Callable[[], None]] = set()

    @property
    def is_open(self) -> bool:
        return self._connection is not None and self._connection.connected.is_set()

    async def connection(self) -> AbstractConnection:
        async with self._opening:
            return await self._connected()

    async def channel(self) -> AbstractChannel:
        """Return the shared channel, in confirm mode if the link was made with `confirms`."""
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                connection = await self._connected()
                async with asyncio.timeout(self.timeout_s):
                    self._channel = await _open_channel(connection, confirms=self._confirms)
            return self._channel

    @asynccontextmanager
    async def side_channel(self) -> AsyncIterator[AbstractChannel]:
        """Open a channel for the caller alone. Messages that are not acknowledged go back at the end."""
        connection = await self.connection()
        async with asyncio.timeout(self.timeout_s):
            channel = await _open_channel(connection, confirms=False)
        try:
            yield channel
        finally:
            await hang_up(channel)

    async def _connected(self) -> AbstractConnection:
        if self._connection is None or not self.is_open:
            self.drop()
            self._connection = await self._connect()
        return self._connection

    async def _connect(self) -> AbstractConnection:
        """Connect to the first node that answers, beginning with the one of last time."""
        for _ in self._addresses[1:]:
            try:
                return await self._connect_to(self._addresses[self._node])
            except Exception as error:  # noqa: BLE001  (whatever it is: the next node may answer)
                _log.warning("node-silent", host=host_of(self._addresses[self._node]), **describe(error))
                self._move_on()
        return await self._connect_to(self._addresses[self._node])

    async def _connect_to(self, address: str) -> AbstractConnection:
        """Connect without `aio_pika.connect`, so that a connection that fails is closed properly."""
        tolerate()
        url = make_url(address, heartbeat=HEARTBEAT_S)
        connection = aio_pika.Connection(url, client_properties={"connection_name": self._name})
        try:
            await connection.connect(timeout=self.timeout_s)
            check_version(connection)
        except BaseException:
            await hang_up(connection)
            raise
        return connection

    def _move_on(self) -> None:
        self._node = (self._node + 1) % len(self._addresses)

    async def watch(self, every_s: float) -> None:
        """Ask the node of an open connection for a channel again and again; leave a node that does not answer.

        A node that is frozen keeps its connections: without this they end only after three heartbeats.
        """
        while True:
            await asyncio.sleep(every_s)
            connection = self._connection
            if connection is None or not self.is_open or await self._answers(connection):
                continue
            if connection is self._connection:
                self.move_on()

    async def _answers(self, connection: AbstractConnection) -> bool:
        try:
            async with asyncio.timeout(self.timeout_s):
                channel = await _open_channel(connection, confirms=False)
        except asyncio.CancelledError:
            if was_cancelled():
                raise
            return False
        except Exception:  # noqa: BLE001  (a closed connection is opened again by whoever needs it)
            return False
        await hang_up(channel)
        return True

    def move_on(self) -> None:
        """Leave a node that does not answer; the next call connects to the next one."""
        _log.warning("node-silent", host=host_of(self._addresses[self._node]))
        self._move_on()
        self.drop()

    @contextmanager
    def when_dropped(self, listener: Callable[[], None]) -> Iterator[None]:
        """Call `listener` if the connection is dropped within the block: a frozen peer never closes it."""
        self._drop_listeners.add(listener)
        try:
            yield
        finally:
            self._drop_listeners.discard(listener)

    def drop(self) -> None:
        """Forget a connection that does not answer; the next call opens a new one."""
        connection, self._connection, self._channel = self._connection, None, None
        for listener in list(self._drop_listeners):
            listener()
        if connection is not None:
            farewell = asyncio.create_task(hang_up(connection))
            self._farewells.add(farewell)
            farewell.add_done_callback(self._farewells.discard)

    async def close(self) -> None:
        self.drop()
        if self._farewells:
            await asyncio.wait(self._farewells, timeout=2 * _GOODBYE_S)


async def _open_channel(connection: AbstractConnection, *, confirms: bool) -> AbstractChannel:
    channel = connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
    await channel.initialize()
    return channel


async def hang_up(resource: AbstractConnection | AbstractChannel) -> None:
    """Close, but do not wait for ever: a frozen peer never answers."""
    try:
        async with asyncio.timeout(_GOODBYE_S):
            await resource.close()
    except asyncio.CancelledError:
        if was_cancelled():
            raise
    except Exception as error:  # noqa: BLE001  (it is gone either way; see `answering`)
        _log.debug("link-closed", **describe(error))


@asynccontextmanager
async def answering(timeout_s: float | None) -> AsyncIterator[None]:
    """Turn every failure of the client within the block into BrokerUnavailableError, after `timeout_s` at the latest.

    A breaking link raises anything, down to a bare Exception, and cancels those who wait on it; of cancellations
    only those that were meant for our own task pass through.
    """
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except KujiError:
        raise
    except asyncio.CancelledError:
        if was_cancelled():
            raise
        raise _unavailable("ConnectionLost") from None
    except Exception as error:  # noqa: BLE001  (see above)
        raise _unavailable(type(error).__name__) from None


def was_cancelled() -> bool:
    """Return True if the running task itself was cancelled, not something that it waits on."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _unavailable(reason: str) -> BrokerUnavailableError:
    return BrokerUnavailableError(
        f"the broker did not answer as asked ({reason}); see that it runs and that the topology is declared "
        "(python -m shared.messaging.declare), then send the same again"
    )
