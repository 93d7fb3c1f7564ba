"""Process sealed applications in batches: open each version, and have it judged, stored and published."""

import asyncio
from collections.abc import Mapping, Sequence

from services.vault.applications.matching import keyed_hashes, residence_hash
from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.rules.content import Judged, Unreadable, Verdict, judge
from services.vault.applications.rules.residency import Municipalities
from services.vault.applications.search import DuplicateSearch
from services.vault.applications.stored import StoredApplication
from services.vault.applications.verdicts import Arrival, OpenedVersion, VerdictWriter
from services.vault.audit import AuditEvent, AuditLog
from services.vault.identities.repository import StoredIdentity
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.opening import NotOpenedError, Opener
from services.vault.keys.keystore import Keystore
from shared.campaign import Campaign
from shared.codes import entry_id, has_entry_number, lottery_proof, proof_digest
from shared.contracts import ApplicationReceived
from shared.errors import PermanentError
from shared.ids import ApplicationId, CampaignId, Token, new_token
from shared.storage import Store, UnitOfWork

Known = Mapping[ApplicationId, StoredApplication]


class ApplicationProcessor:
    """Handle `application.received`.

    While the vault is locked, the consumer takes no messages: they wait in the queue and are not retried.
    """

    def __init__(
        self,
        store: Store,
        keystore: Keystore,
        audit: AuditLog,
        campaigns: Mapping[CampaignId, Campaign],
        municipalities: Municipalities,
        search: DuplicateSearch,
    ) -> None:
        self._applications, self._verdicts = ApplicationRepository(store), VerdictWriter(store, search)
        self._keystore, self._audit = keystore, audit
        self._campaigns, self._municipalities = campaigns, municipalities

    async def on_received(self, events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
        """Process a batch. A version below the content of its application counts only for the person it names."""
        for campaign in dict.fromkeys(event.campaign for event in events):
            await self._process(campaign, [event for event in events if event.campaign == campaign], uow)

    async def _process(self, campaign: CampaignId, events: list[ApplicationReceived], uow: UnitOfWork) -> None:
        keys = self._keys(campaign)
        known = await self._applications.by_ids(uow, campaign, {event.application_id for event in events})
        fresh = {(event.application_id, event.version): event for event in events if _is_new(event, known)}
        if not fresh:
            return
        opened = await asyncio.to_thread(self._open_all, campaign, keys, list(fresh.values()), known)
        await self._audit.record([_audit_event(campaign, version, keys) for version in opened])
        await self._verdicts.write(uow, campaign, known, opened)

    def _keys(self, campaign: CampaignId) -> CampaignKeys:
        try:
            return self._keystore.campaign(campaign)
        except KeyError:
            raise PermanentError(f"campaign {campaign} is not one of this installation") from None

    def _open_all(
        self, campaign: CampaignId, keys: CampaignKeys, events: list[ApplicationReceived], known: Known
    ) -> list[OpenedVersion]:
        opener, tokens = Opener(campaign, keys), _tokens(events, known)
        return [
            open_version(campaign, keys, _arrival(event), self._judge(opener, event), tokens[event.application_id])
            for event in events
        ]

    def _judge(self, opener: Opener, event: ApplicationReceived) -> Verdict:
        try:
            plaintext = opener.open_application(event.sealed, event.key_id, event.application_id, event.version)
        except NotOpenedError:
            return Unreadable(("malformed",))
        return judge(plaintext, event.channel, self._campaigns[event.campaign], self._municipalities)


def open_version(
    campaign: CampaignId, keys: CampaignKeys, arrival: Arrival, verdict: Verdict, token: Token
) -> OpenedVersion:
    """Return the version with its entry id, its keyed hashes and the identity encrypted again.

    A code without an entry number is malformed (`docs/protocols.md` §0).
    """
    code = verdict.code
    entry = None if code is None else entry_id(campaign, arrival.application_id, code)
    if code is None or entry is None or not has_entry_number(entry):
        return OpenedVersion(arrival, _without_code(verdict), None, None, None, {})
    proof = proof_digest(lottery_proof(campaign, entry, code))
    if not isinstance(verdict, Judged):
        return OpenedVersion(arrival, verdict, entry, proof, None, {})
    identity = StoredIdentity.encrypt(
        keys,
        token=token,
        campaign=campaign,
        application_id=arrival.application_id,
        receipt=arrival.receipt,
        person=verdict.person,
        code=code,
        residence=residence_hash(keys, verdict.person),
    )
    return OpenedVersion(arrival, verdict, entry, proof, identity, keyed_hashes(keys, verdict.person))


def _without_code(verdict: Verdict) -> Unreadable:
    return verdict if isinstance(verdict, Unreadable) else Unreadable(("malformed",))


def _is_new(event: ApplicationReceived, known: Known) -> bool:
    earlier = known.get(event.application_id)
    return earlier is None or event.version > earlier.content_version or earlier.misses(event.version)


def _tokens(events: Sequence[ApplicationReceived], known: Known) -> dict[ApplicationId, Token]:
    """Return the token of each application: all versions have the one of the first."""
    tokens: dict[ApplicationId, Token] = {}
    for event in events:
        earlier = known.get(event.application_id)
        token = earlier.token if earlier else None
        tokens.setdefault(event.application_id, token or new_token())
    return tokens


def _arrival(event: ApplicationReceived) -> Arrival:
    return Arrival(event.application_id, event.receipt, event.version, event.channel, event.received_at)


def _audit_event(campaign: CampaignId, opened: OpenedVersion, keys: CampaignKeys) -> AuditEvent:
    outcome = "unreadable" if isinstance(opened.verdict, Unreadable) else "opened"
    subject = keys.subject_of(opened.arrival.application_id)
    return AuditEvent("vault", "service", "open", "intake", campaign, subject, outcome)
