"""Find the recipient of a token, for one purpose, with an audit line each time."""

from collections.abc import Mapping
from typing import Protocol

from services.vault.identities.reveal import Identities
from services.vault.mail.relay.recipient import Recipient
from shared.campaign import Campaign
from shared.ids import CampaignId, Token

PURPOSE = "result-notice"


class Recipients(Protocol):
    async def find(self, token: Token, *, actor: str, case: str) -> Recipient | None:
        """None for an unknown or erased token. Raises PurposeNotAllowedError, TransientError."""


class KnownRecipients:
    """Recipients from the vault's identities."""

    def __init__(self, identities: Identities, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._identities, self._campaigns = identities, campaigns

    async def find(self, token: Token, *, actor: str, case: str) -> Recipient | None:
        found = (await self._identities.reveal([token], purpose=PURPOSE, actor=actor, case=case)).get(token)
        if found is None:
            return None
        return Recipient(token, self._campaigns[found.campaign], found.person.name, found.person.email)
