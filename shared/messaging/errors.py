"""Exceptions of messaging."""

from shared.errors import PermanentError, TransientError


class BrokerUnavailableError(TransientError):
    """Raised when the broker did not confirm in time, is away, or has no queue for the message.

    The message may have arrived all the same, so it is published again with the same event id.
    """


class BrokerTooOldError(BrokerUnavailableError):
    """Raised when the broker's version lacks what the topology needs. `version` is the broker's."""

    def __init__(self, version: str, oldest: str) -> None:
        super().__init__(f"RabbitMQ {version} is too old; install {oldest} or later")
        self.version = version


class ContractViolationError(PermanentError):
    """Raised for a message whose body breaks its contract. `code` names the reason."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotReplayableError(PermanentError):
    """Raised for a parked message that came from no queue of this service and cannot go back."""
