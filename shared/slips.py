"""Verify outcome slips by the lottery's signing key (`docs/protocols.md`, slips). The key comes from set-up."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.contracts.slips import SLIP_CONTEXT
from shared.service_keys import PublicKeys


class SlipKeys:
    """Public signing keys of the lottery in one key folder; read again when the file changes.

    Raises ConfigurationError where the file is absent or malformed.
    """

    def __init__(self, folder: Path) -> None:
        self._keys = PublicKeys(folder)

    def verify(self, document: Mapping[str, Any]) -> bool:
        """Return True if a signing key of the lottery that is not revoked signed this slip, as it was parsed from JSON.

        A service key signs no slips. Returns False for anything malformed; the caller checks the members.
        """
        return self._keys.verify_document(SLIP_CONTEXT, document, "lottery", "signing")
