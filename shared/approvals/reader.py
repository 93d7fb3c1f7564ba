"""Read executed approvals that staff bring to a service: verified offline, by the vault's pinned public key."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from shared.approvals.document import ApprovalContent, ApprovalRefusedError, read_approval
from shared.approvals.gate import Act


class ApprovalReader:
    """One per process. `vault_key_file`: the vault's public key, which came by another way."""

    def __init__(self, vault_key_file: Path | None) -> None:
        self._vault_key_file = vault_key_file

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
            vault_public_key=self._vault_key(),
            now=datetime.now(UTC),
        )

    def _vault_key(self) -> str:
        try:
            return self._vault_key_file.read_text("ascii").strip() if self._vault_key_file else ""
        except OSError:
            raise ApprovalRefusedError("foreign-signature") from None
