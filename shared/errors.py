"""The tree of errors whose type decides what happens: retry, park, or refuse to start."""


class KujiError(Exception):
    """Raised by Kuji on purpose: base of all its errors. Texts hold ids and codes only, never a person's data."""


class TransientError(KujiError):
    """Raised when the work may succeed later (a server is away, a lock is held): the message is retried later."""


class NotReadyError(TransientError):
    """Raised when no message can be handled now (a vault is locked): messages wait in their queue.

    The message is not the cause, so it is neither retried with a delay nor parked.
    """


class PermanentError(KujiError):
    """Raised when the message can never succeed: it goes to the parking queue, where staff see it."""


class RefusedError(KujiError):
    """Raised when a person's act is refused: base of errors with a `reason`, a code that pages put into words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConfigurationError(KujiError):
    """Raised when the service cannot start as configured; the text names the setting and the remedy."""
