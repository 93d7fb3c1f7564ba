"""Reveal identities: for a purpose that the campaign allows, after a durable audit line (R-C7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.vault.audit import AuditEvent, AuditLog
from services.vault.identities.person import Person
from services.vault.identities.repository import IdentityRepository, StoredIdentity
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import NotDecryptableError
from services.vault.keys.errors import VaultLockedError
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from shared.campaign import Campaign
from shared.codes import Code
from shared.errors import PermanentError
from shared.ids import ApplicationId, CampaignId, Receipt, Token
from shared.storage import Store


class PurposeNotAllowedError(PermanentError):
    """Raised when the campaign does not allow identities to be used for a purpose; nothing was decrypted."""


@dataclass(frozen=True)
class Revealed:
    """An identity in the clear, for as short as possible."""

    token: Token
    campaign: CampaignId
    application_id: ApplicationId
    receipt: Receipt
    person: Person = field(repr=False)
    code: Code = field(repr=False)


class Identities:
    """Reveal identities to the vault's own parts."""

    def __init__(
        self, store: Store, keystore: Keystore, audit: AuditLog, campaigns: Mapping[CampaignId, Campaign]
    ) -> None:
        self._repository = IdentityRepository(store)
        self._keystore, self._audit, self._campaigns = keystore, audit, campaigns

    async def reveal(
        self, tokens: Sequence[Token], *, purpose: str, actor: str, case: str, role: str = "service"
    ) -> dict[Token, Revealed]:
        """Return the identities by token; tokens that are unknown or erased are absent.

        `case` names the occasion (a batch) in the audit log, which is durable before this returns. `role`: of a person
        of staff for whom they are revealed. Raises PurposeNotAllowedError, VaultLockedError, NotRecordedError.
        """
        return await self.reveal_cases(dict.fromkeys(tokens, (case,)), purpose=purpose, actor=actor, role=role)

    async def reveal_cases(
        self, cases: Mapping[Token, Sequence[str]], *, purpose: str, actor: str, role: str = "service"
    ) -> dict[Token, Revealed]:
        """Return the identities of a bundle, with one audit line for each token and occasion, all in one write."""
        self._check_open()
        stored = await self._repository.by_tokens(list(cases))
        campaigns = {identity.campaign for identity in stored}
        for campaign in campaigns:
            self._check_purpose(campaign, purpose)
        keys_of = {campaign: self._keys_of(campaign) for campaign in campaigns}
        revealed, events = {}, []
        for identity in stored:
            keys = keys_of[identity.campaign]
            if keys is None:
                continue
            opened = _opened(identity, keys)
            outcome = "damaged" if opened is None else "revealed"
            subject = keys.subject_of(identity.application_id)
            events += [
                AuditEvent(actor, role, f"reveal:{case}", purpose, identity.campaign, subject, outcome)
                for case in cases[identity.token]
            ]
            if opened is not None:
                revealed[opened.token] = opened
        await self._audit.record(events)
        return revealed

    def _check_open(self) -> None:
        if self._keystore.locked:
            raise VaultLockedError("the vault is locked; restart it with its passphrase")

    def _keys_of(self, campaign: CampaignId) -> CampaignKeys | None:
        try:
            return self._keystore.campaign(campaign)
        except (KeyDestroyedError, KeyError):
            return None

    def _check_purpose(self, campaign: CampaignId, purpose: str) -> None:
        known = self._campaigns.get(campaign)
        if known is None or purpose not in known.purposes:
            raise PurposeNotAllowedError(f"campaign {campaign} does not allow the purpose {purpose}")


def _opened(identity: StoredIdentity, keys: CampaignKeys) -> Revealed | None:
    """Return the identity in the clear; None if its ciphertext is damaged."""
    try:
        opened = identity.decrypt(keys)
    except NotDecryptableError:
        return None
    return Revealed(
        identity.token, identity.campaign, identity.application_id, identity.receipt, opened.person, opened.code
    )
