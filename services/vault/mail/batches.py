"""Find the recipients of an announcement by their addresses, for reports that name one of them."""

from collections.abc import Mapping
from typing import Final

from services.vault.deliveries.repository import DeliveryRepository
from services.vault.identities.reveal import Identities, PurposeNotAllowedError
from shared.ids import NoticeId, Token
from shared.storage import Store

PURPOSE: Final = "result-notice"


class SentBatches:
    """Announcements that left the vault. Each search is in the audit log."""

    def __init__(self, store: Store, identities: Identities) -> None:
        self._deliveries, self._identities = DeliveryRepository(store), identities

    async def recipients(self, notice: NoticeId) -> Mapping[str, Token]:
        """Return the recipients of an announcement by mail address; nothing for a notice to one applicant."""
        tokens = await self._deliveries.announced(notice)
        if not tokens:
            return {}
        try:
            revealed = await self._identities.reveal(tokens, purpose=PURPOSE, actor="bounces", case=f"report:{notice}")
        except PurposeNotAllowedError:
            return {}
        return {known.person.email: token for token, known in revealed.items() if known.person.email is not None}
