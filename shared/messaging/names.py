"""Names of exchanges and queues on the broker, all in one place.

A namespace, where set, stands before every name, so that installations (and tests) can share one broker.
"""

from dataclasses import dataclass

from shared.contracts.base import Event


@dataclass(frozen=True)
class Names:
    namespace: str = ""

    @property
    def events(self) -> str:
        """Topic exchange of all events; the routing key is the event's name."""
        return self._full("kuji.events")

    def delay_queue(self, delay_s: int) -> str:
        """Return the exchange and queue of one delay; the routing key is the queue to which a message returns."""
        return self._full(f"kuji.wait.{delay_s}s")

    def queue(self, service: str, event: type[Event] | str) -> str:
        name = event if isinstance(event, str) else event.name
        return self._full(f"{service}.{name}")

    def parked(self, service: str) -> str:
        """Return the exchange and queue of messages that a service could not handle."""
        return self._full(f"{service}.parked")

    def untrusted(self, service: str) -> str:
        """Return the exchange and queue of records of messages that no known publisher signed."""
        return self._full(f"{service}.untrusted")

    def plain(self, name: str) -> str:
        """Return the name without its namespace, as people know it."""
        return name.removeprefix(f"{self.namespace}.") if self.namespace else name

    def _full(self, name: str) -> str:
        return f"{self.namespace}.{name}" if self.namespace else name
