"""Publishing on a connection of its own: confirmed, mandatory, and within a bounded time."""

import asyncio

from aio_pika import Message

from shared.messaging.errors import BrokerUnavailableError
from shared.messaging.link import Link, answering


class Publisher:
    """Publisher with any number of publishes in flight; each waits for its own confirm."""

    def __init__(self, link: Link, timeout_s: float) -> None:
        self._link, self._timeout_s = link, timeout_s
        self._confirmed_at = 0.0

    async def publish(self, exchange: str, routing_key: str, message: Message) -> None:
        """Publish and wait for the confirm. Raises BrokerUnavailableError, after `timeout_s` at most."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with answering(self._timeout_s):
                channel = await self._link.channel()
                target = await channel.get_exchange(exchange, ensure=False)
                await target.publish(message, routing_key, mandatory=True)
        except BrokerUnavailableError:
            if loop.time() - begun >= self._timeout_s and self._confirmed_at < begun:
                self._link.drop()
            raise
        self._confirmed_at = loop.time()
