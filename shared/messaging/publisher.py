"""Publishing on a connection of its own: confirmed, mandatory, and within a bounded time."""

import asyncio
from typing import Final

from aio_pika import Message

from shared.messaging.calls import answering
from shared.messaging.errors import BrokerUnavailableError
from shared.messaging.link import Link

_NODE_S: Final = 4.0
"""Longest wait for one node's confirm where there are others; opening a connection to another node is part of it."""

_PAUSE_S: Final = 0.1


class Publisher:
    """Publisher with any number of publishes in flight; each waits for its own confirm."""

    def __init__(self, link: Link, timeout_s: float) -> None:
        self._link, self._timeout_s = link, timeout_s
        self._confirmed_at = 0.0

    async def publish(self, exchange: str, routing_key: str, message: Message) -> None:
        """Publish and wait for the confirm. Raises BrokerUnavailableError, after `timeout_s` at most.

        In a cluster a node that does not confirm is left, and the same message is published at the next one: consumers
        know a repeated event by its id.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._timeout_s
        while True:
            try:
                await self._publish_once(exchange, routing_key, message, ends - loop.time())
            except BrokerUnavailableError:
                if not self._link.has_other_nodes or loop.time() + _PAUSE_S >= ends:
                    raise
                await asyncio.sleep(_PAUSE_S)
            else:
                return

    async def _publish_once(self, exchange: str, routing_key: str, message: Message, left_s: float) -> None:
        loop = asyncio.get_running_loop()
        begun, moves = loop.time(), self._link.moves
        node_timeout_s = min(left_s, _NODE_S) if self._link.is_settled else left_s
        try:
            async with answering(node_timeout_s):
                channel, moves = await self._link.channel(), self._link.moves
                target = await channel.get_exchange(exchange, ensure=False)
                await target.publish(message, routing_key, mandatory=True)
        except BrokerUnavailableError:
            if loop.time() - begun >= node_timeout_s and self._confirmed_at < begun:
                self._link.move_on(moves)
            raise
        self._confirmed_at = loop.time()
