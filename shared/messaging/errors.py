"""What messaging itself raises."""

from shared.errors import PermanentError, TransientError


class BrokerUnavailable(TransientError):  # noqa: N818  (says the state; every caller reads it so)
    """The broker did not confirm in time, is away, or had nowhere to put the message.

    It may have arrived all the same, so whoever sends it again uses the same event id.
    """


class ContractViolation(PermanentError):  # noqa: N818  (says what happened; its name stands in parked messages)
    """A message whose body or headers are not what its contract says. `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotReplayable(PermanentError):  # noqa: N818  (says what is so of the message)
    """A parked message that came from no queue of this service, so there is nowhere to put it back."""
