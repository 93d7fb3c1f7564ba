"""Refusal of a sign-in."""

from typing import Literal

from shared.errors import KujiError

Refusal = Literal["wrong", "too-many", "not-active", "before-roster", "after-roster", "no-pledge", "no-training"]


class SignInRefusedError(KujiError):
    """Raised when a sign-in fails. `reason` tells of the roster only to a person who showed right factors.

    `retry_after_s`: seconds until another attempt is taken, where there were too many.
    """

    def __init__(self, reason: Refusal, *, retry_after_s: int | None = None) -> None:
        super().__init__(f"sign-in refused: {reason}")
        self.reason: Refusal = reason
        self.retry_after_s = retry_after_s
