"""Pacing: limits the rate of recipients per class of mail domain, because some mail providers block fast senders."""

import time
from collections.abc import Callable, Mapping


class Pacing:
    """Limit the rate of the mails that this process orders. `per_s`: most recipients per second by class.

    A class saves up a quarter of a second at most. A mail to several recipients may overdraw it, and the class waits
    until that is paid back.
    """

    def __init__(self, per_s: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._clock = dict(per_s), clock
        self._saved = {name: (1.0, clock()) for name in self._per_s}

    def allowances(self) -> dict[str, float]:
        """Return the recipients that each limited class may have now. A class below 1 must wait."""
        return {name: self._allowance(name) for name in self._per_s}

    def spend(self, domain_class: str | None, recipients: int) -> None:
        """Take the recipients of an order off the allowance of their class."""
        if domain_class in self._per_s:
            self._saved[domain_class] = (self._allowance(domain_class) - recipients, self._clock())

    def _allowance(self, name: str) -> float:
        saved, since = self._saved[name]
        rate = self._per_s[name]
        return min(saved + rate * (self._clock() - since), max(1.0, rate / 4))
