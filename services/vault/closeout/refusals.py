"""The error with which steps of a close-out are refused."""

from shared.errors import KujiError


class CloseOutRefusedError(KujiError):
    """Raised when a step of the close-out is not due or not allowed; `code` is the name of an HTTP problem."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
