"""The tree of errors whose type decides what happens: retry, park, or refuse to start."""


class KujiError(Exception):
    """Anything Kuji raises on purpose. Texts hold ids and codes only, never a person's data."""


class TransientError(KujiError):
    """May succeed later (a server is away, a lock is held): the message takes the retry ladder."""


class NotReadyError(TransientError):
    """Nothing can be handled just now, whatever it is (a vault is locked): messages wait where they are.

    No message is to blame, so none climbs the retry ladder or is parked for it.
    """


class PermanentError(KujiError):
    """Will never succeed as it stands: the message goes to the parking queue, where staff see it."""


class ConfigurationError(KujiError):
    """The service cannot start as it is set up; the text says which setting and what to do."""
