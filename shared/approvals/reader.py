"""Read executed approvals that staff bring to a service: verified offline, by the vault's pinned public key."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from shared.approvals.document import ApprovalContent, read_approval
from shared.approvals.gate import Act
from shared.pinned_keys import PinnedKeys


class ApprovalReader:
    """One per process. `vault_key_file`: the vault's public keys, which came by another way."""

    def __init__(self, vault_key_file: Path | None) -> None:
        self._pinned = PinnedKeys(vault_key_file)

    def read(self, document: Mapping[str, object], act: Act) -> ApprovalContent:
        """Return the approval if it allows this act now. Raises ApprovalRefusedError.

        The caller still marks it as used (`mark_used`), in the transaction of the act.
        """
        return read_approval(
            document,
            kind=act.kind,
            campaign=act.campaign,
            params=act.params,
            actor=act.actor,
            vault_public_key=self._pinned.named(document.get("key")),
            now=datetime.now(UTC),
        )
