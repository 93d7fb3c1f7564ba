"""Names of the four services, for code that must start fast and needs nothing else of the contracts."""

from typing import Final

SERVICES: Final = ("intake", "lottery", "notifier", "vault")
