"""Give every queue its copies on the nodes of a cluster, with RabbitMQ's own `rabbitmq-queues`.

A queue gets its copies when it is declared, on the nodes that run then. Those that were declared by the first node
alone, from a definitions file, keep one copy until somebody adds others: this does. RabbitMQ before 3.13 has no other
way than the command.
"""

import asyncio
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.errors import ConfigurationError
from shared.messaging.copies import Management, QueueCopies

_COMMAND_S: Final = 600.0
_SETTLED_S: Final = 60.0
_POLL_S: Final = 1.0


@dataclass(frozen=True)
class Grower:
    """`command`: `rabbitmq-queues` with what leads to it (`docker compose exec -T rabbitmq-1 rabbitmq-queues`)."""

    management: Management
    command: Sequence[str]
    wished: int

    async def grow(self, names: Sequence[str]) -> dict[str, QueueCopies]:
        """Add copies where queues have fewer than wished for, spread the leaders, and return the copies by queue.

        Raises ConfigurationError if the command fails or too few nodes run, BrokerUnavailableError if the management
        interface does not answer.
        """
        nodes = await self.management.running_nodes()
        found = await self._settled(names)
        grown = False
        for node in nodes:
            short = missing(found, node, self.wished)
            if short:
                await self._run("grow", node, "all", "--queue-pattern", _one_of(short), "--vhost-pattern", self._vhost)
                grown, found = True, await self._settled(names, node, short)
        if grown:
            await self._run("rebalance", "quorum", "--queue-pattern", _one_of(names), "--vhost-pattern", self._vhost)
        if len(nodes) < self.wished:
            raise ConfigurationError(
                f"{self.wished} copies are wished for and {len(nodes)} nodes run; start the others, then run this again"
            )
        return found

    @property
    def _vhost(self) -> str:
        return _one_of([self.management.vhost])

    async def _settled(
        self, names: Sequence[str], node: str | None = None, grown: Sequence[str] = ()
    ) -> dict[str, QueueCopies]:
        """Return the copies as soon as all queues are known and those of `grown` have one on the node."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + _SETTLED_S
        while True:
            found = await self.management.queues()
            is_known = all(name in found and found[name].members for name in names)
            if is_known and all(node in found[name].members for name in grown):
                return {name: found[name] for name in names}
            if loop.time() > ends:
                raise ConfigurationError(
                    "the broker does not show all queues with their copies; look at the logs of its nodes, "
                    "then run this again"
                )
            await asyncio.sleep(_POLL_S)

    async def _run(self, *arguments: str) -> None:
        try:
            done = await asyncio.to_thread(
                subprocess.run,
                [*self.command, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_COMMAND_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigurationError(_advice(arguments, type(error).__name__)) from None
        if done.returncode != 0:
            raise ConfigurationError(_advice(arguments, f"status {done.returncode}"))


def missing(found: Mapping[str, QueueCopies], node: str, wished: int) -> list[str]:
    """Return the queues that have fewer copies than wished for, and none on this node."""
    return [name for name, queue in found.items() if len(queue.members) < wished and node not in queue.members]


def _one_of(names: Sequence[str]) -> str:
    return f"^({'|'.join(re.escape(name) for name in names)})$"


def _advice(arguments: Sequence[str], reason: str) -> str:
    return (
        f"`rabbitmq-queues {arguments[0]}` did not succeed ({reason}); KUJI_GROW_COMMAND is how it is called on a node "
        f"of the cluster. By hand: rabbitmq-queues {' '.join(arguments[:3])}"
    )
