"""Depths of queues, read without touching the messages."""

from collections.abc import Iterable

from shared.messaging.calls import answering
from shared.messaging.link import Link


async def queue_depths(link: Link, queues: Iterable[str], timeout_s: float) -> dict[str, int]:
    """Return the number of ready messages by queue. A passive declaration needs no permission.

    Raises BrokerUnavailableError, also where a queue is not declared.
    """
    async with answering(timeout_s), link.side_channel() as channel:
        found = {name: await channel.declare_queue(name, passive=True) for name in queues}
    return {name: queue.declaration_result.message_count or 0 for name, queue in found.items()}
