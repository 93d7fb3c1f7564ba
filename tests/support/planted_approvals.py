"""Put approvals into a vault's database as if people had given them, for tests of the acts that need one."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from services.vault.approvals.repository import ApprovalRepository
from services.vault.approvals.rules.approval import Approval, ApprovalState, Signature
from shared.approvals import RULES, ApprovalContent, ApprovalId, ApprovalKind
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.storage import Store

PEOPLE = ("responsible-1", "ward-1")


async def plant_approval(
    store: Store, kind: ApprovalKind, campaign: str, params: JsonObject, requested_by: str = "handler-1", **changed: Any
) -> ApprovalId:
    """Insert an approval by all who are needed, and return its number. `changed`: members of its content."""
    now, way = datetime.now(UTC), RULES[kind].ways[-1]
    content = ApprovalContent(
        **{
            "id": ApprovalId(f"a-{secrets.token_hex(10)}"), "kind": kind, "campaign": CampaignId(campaign),
            "params": params, "reason": RULES[kind].reasons[0], "requested_by": requested_by,
            "requested_at": now, "expires": now + timedelta(hours=1), **changed,
        }
    )  # fmt: skip
    signatures = tuple(
        Signature(person, min(slot), now, "passkey") for person, slot in zip(PEOPLE, way.approvers, strict=False)
    )
    approval = Approval(content, way.requester, ApprovalState.APPROVED, None, signatures)
    await ApprovalRepository(store).insert(approval)
    return content.id
