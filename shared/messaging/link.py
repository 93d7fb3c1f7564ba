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

from shared.logging import describe, get_logger
from shared.messaging.addresses import host_of, parse_addresses
from shared.messaging.broker_version import check_version
from shared.messaging.calls import GOODBYE_S, hang_up, was_cancelled
from shared.messaging.malformed_frames import tolerate

_log = get_logger(__name__)

HEARTBEAT_S = 10
"""A dead peer is noticed after about three of these."""

MOVE_ON_S = 2.0
"""Longest wait for one node where there are others: a frozen node must not use up the caller's time."""

_REST_S = 20.0
"""Time for which a node that was left is not chosen again, and for which another one has all the caller's time.

While a cluster has not given a frozen node up (`net_ticktime`), the other nodes do not answer either.
"""


class Link:
    """One connection with one shared channel. `timeout_s` bounds opening either.

    `url` may name several nodes of a cluster (`parse_addresses`): after a node that does not answer comes the next.
    """

    def __init__(self, url: str, name: str, timeout_s: float, *, confirms: bool = False) -> None:
        self._addresses, self._name, self._confirms = parse_addresses(url), name, confirms
        self.has_other_nodes = len(self._addresses) > 1
        self._longest_s = timeout_s
        self._node = 0
        self._left: dict[int, float] = {}
        """Time of the loop at which each node was left."""
        self.moves = 0
        """Number of nodes that were left so far."""
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()
        self._farewells: set[asyncio.Task[None]] = set()
        self._drop_listeners: set[Callable[[], None]] = set()

    @property
    def is_settled(self) -> bool:
        """Return True if no node was left lately, so that one that does not answer soon is left."""
        return self.has_other_nodes and not any(map(self._rests, self._left))

    @property
    def timeout_s(self) -> float:
        """Return the longest wait for an answer of the present node."""
        return min(self._longest_s, MOVE_ON_S) if self.is_settled else self._longest_s

    def _rests(self, node: int) -> bool:
        return node in self._left and asyncio.get_running_loop().time() - self._left[node] < _REST_S

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
        return await connect(address, self._name, self.timeout_s)

    def _move_on(self) -> None:
        """Turn to the next node that was not left lately, or to the next one where all were."""
        self.moves += 1
        self._left[self._node] = asyncio.get_running_loop().time()
        following = [(self._node + step) % len(self._addresses) for step in range(1, len(self._addresses) + 1)]
        self._node = next((node for node in following if not self._rests(node)), following[0])

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
                self.move_on(self.moves)

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

    def move_on(self, seen: int) -> None:
        """Leave a node that does not answer; the next call connects to the next one.

        `seen`: `moves` when the caller turned to the node. Of several callers that wait for one node the first leaves
        it; the others would leave the next one, and come back to the first.
        """
        if seen != self.moves:
            return
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
            await asyncio.wait(self._farewells, timeout=2 * GOODBYE_S)


async def connect(address: str, name: str, timeout_s: float) -> AbstractConnection:
    """Connect to one node, and close a connection that fails. Raises BrokerTooOldError, or what the driver raises.

    `aio_pika.connect` leaves such a connection to the garbage collector, which may run in a thread of another driver:
    there nobody can close it, and all that is left is a warning of a coroutine that was never awaited.
    """
    tolerate()
    connection = aio_pika.Connection(
        make_url(address, heartbeat=HEARTBEAT_S), client_properties={"connection_name": name}
    )
    try:
        await connection.connect(timeout=timeout_s)
        check_version(connection)
    except BaseException:
        await hang_up(connection)
        raise
    return connection


async def _open_channel(connection: AbstractConnection, *, confirms: bool) -> AbstractChannel:
    channel = connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
    await channel.initialize()
    return channel
