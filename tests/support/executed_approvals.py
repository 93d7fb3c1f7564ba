"""Executed approvals as the vault hands them out, signed by a vault that the test plays."""

import secrets
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from shared.approvals import RULES, ApprovalContent, ApprovalId, ApprovalKind, GivenApproval, write_approval
from shared.approvals.presented import PresentedApproval
from shared.approvals.reader import ApprovalReader
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.pinned_keys import PinnedKeys
from shared.signing import SigningKey

VAULT: Final = SigningKey.from_bytes(b"v" * 32)


def pin_vault_key(folder: Path) -> Path:
    """Write the public key of the played vault; return the file."""
    file = folder / "vault-key-of-the-tests"
    file.write_text(VAULT.public, "ascii")
    return file


@cache
def pinned_key_file() -> Path:
    """Return a file with the public key of the played vault."""
    return pin_vault_key(Path(tempfile.mkdtemp(prefix="kuji-vault-key-")))


def pinned_key_of_the_tests() -> PinnedKeys:
    """Return the pinned key of the played vault."""
    return PinnedKeys(pinned_key_file())


def reader_of_the_tests() -> ApprovalReader:
    """Return a reader that trusts the played vault."""
    return ApprovalReader(pinned_key_file())


def presented(kind: ApprovalKind, campaign: str, params: JsonObject, actor: str = "yamada") -> PresentedApproval:
    """Return a fresh approval of this act, as the person presents it."""
    document = executed(approval_content(kind, campaign, params, actor))
    return PresentedApproval(reader_of_the_tests(), document, actor)


def approval_content(
    kind: ApprovalKind, campaign: str, params: JsonObject, requested_by: str, **changed: Any
) -> ApprovalContent:
    """Return a request that has not expired. `changed`: members of it."""
    now = datetime.now(UTC)
    members = {
        "id": ApprovalId(f"a-{secrets.token_hex(10)}"), "kind": kind, "campaign": CampaignId(campaign),
        "params": params, "reason": RULES[kind].reasons[0], "requested_by": requested_by, "requested_at": now,
        "expires": now + timedelta(hours=1),
    }  # fmt: skip
    return ApprovalContent(**{**members, **changed})


def executed(content: ApprovalContent, signing: SigningKey = VAULT) -> JsonObject:
    """Return the executed document, approved by all whom one way of the kind needs."""
    now, way = datetime.now(UTC), RULES[content.kind].ways[0]
    given = [GivenApproval(min(slot), now, "passkey") for slot in way.approvers]
    return write_approval(signing, content, given, now)
