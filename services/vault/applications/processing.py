"""Process sealed applications in batches: open, judge, search for duplicates, store, publish the verdicts."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.vault.applications.duplicates import DuplicateSearch, index_keys
from services.vault.applications.events import publish_verdicts
from services.vault.applications.index_repository import BlindIndexRepository
from services.vault.applications.repository import ApplicationRepository, Match, StoredApplication
from services.vault.applications.rules.contacts import contact_channel, mail_domain_class
from services.vault.applications.rules.content import Judged, Unreadable, judge
from services.vault.applications.rules.residency import Municipalities
from services.vault.applications.rules.states import ApplicationState
from services.vault.audit import AuditEvent, AuditLog
from services.vault.identities.repository import IdentityRepository, StoredIdentity
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.opening import NotOpenedError, Opener
from services.vault.keys.keystore import Keystore
from shared.campaign import Campaign
from shared.contracts import ApplicationReceived
from shared.errors import PermanentError
from shared.ids import CampaignId, new_token
from shared.storage import Store, UnitOfWork


@dataclass(frozen=True)
class _Opened:
    """An application after the keys were used on it; `identity` is encrypted again already."""

    event: ApplicationReceived
    verdict: Judged | Unreadable
    identity: StoredIdentity | None
    hashes: Mapping[str, str]

    @property
    def stands(self) -> bool:
        """True if no rule rejects the application."""
        return isinstance(self.verdict, Judged) and not self.verdict.reasons


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
    ) -> None:
        self._applications, self._identities = ApplicationRepository(store), IdentityRepository(store)
        self._keystore, self._audit = keystore, audit
        self._campaigns, self._municipalities = campaigns, municipalities

    async def on_received(self, events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
        """Process a batch. Applications that the vault has judged before are skipped."""
        for campaign in dict.fromkeys(event.campaign for event in events):
            await self._process(campaign, [event for event in events if event.campaign == campaign], uow)

    async def _process(self, campaign: CampaignId, events: list[ApplicationReceived], uow: UnitOfWork) -> None:
        keys = self._keys(campaign)
        seen = await self._applications.known_ids(uow, [event.application_id for event in events])
        fresh = {event.application_id: event for event in events if event.application_id not in seen}
        if not fresh:
            return
        opened = await asyncio.to_thread(self._open_all, campaign, keys, list(fresh.values()))
        await self._audit.record([_audit_event(application, keys) for application in opened])
        judged = await _judge_in_order(uow, campaign, opened)
        await self._identities.insert(uow, [one.identity for one in opened if one.identity is not None])
        await self._applications.insert(uow, judged)
        await publish_verdicts(uow, campaign, judged)

    def _keys(self, campaign: CampaignId) -> CampaignKeys:
        try:
            return self._keystore.campaign(campaign)
        except KeyError:
            raise PermanentError(f"campaign {campaign} is not one of this installation") from None

    def _open_all(self, campaign: CampaignId, keys: CampaignKeys, events: list[ApplicationReceived]) -> list[_Opened]:
        opener = Opener(campaign, keys)
        return [self._open(opener, keys, event) for event in events]

    def _open(self, opener: Opener, keys: CampaignKeys, event: ApplicationReceived) -> _Opened:
        try:
            plaintext = opener.open_application(event.sealed, event.key_id, event.application_id)
        except NotOpenedError:
            return _Opened(event, Unreadable(("malformed",)), None, {})
        verdict = judge(plaintext, event.channel, self._campaigns[event.campaign], self._municipalities)
        if isinstance(verdict, Unreadable):
            return _Opened(event, verdict, None, {})
        identity = StoredIdentity.encrypt(
            keys,
            token=new_token(),
            campaign=event.campaign,
            application_id=event.application_id,
            receipt=event.receipt,
            person=verdict.person,
        )
        return _Opened(event, verdict, identity, index_keys(keys, verdict.person))


async def _judge_in_order(uow: UnitOfWork, campaign: CampaignId, opened: Sequence[_Opened]) -> list[StoredApplication]:
    """Return the applications to store, in order of arrival: of two equal ones the earlier stands."""
    search = DuplicateSearch(BlindIndexRepository(uow, campaign))
    await search.load(value for application in opened for value in application.hashes.values())
    judged = []
    for application in sorted(opened, key=lambda one: (one.event.received_at, one.event.application_id)):
        match = search.match(application.hashes) if application.stands else None
        if application.stands and match is None:
            search.register(application.event.application_id, application.hashes)
        judged.append(_to_store(application, match))
    await search.save()
    return judged


def _to_store(opened: _Opened, match: Match | None) -> StoredApplication:
    verdict, event = opened.verdict, opened.event
    judged = verdict if isinstance(verdict, Judged) else None
    return StoredApplication(
        application_id=event.application_id,
        campaign=event.campaign,
        receipt=event.receipt,
        channel=event.channel,
        state=_state(opened, match),
        token=opened.identity.token if opened.identity else None,
        contact=contact_channel(judged.person) if judged else None,
        mail_domain_class=mail_domain_class(judged.person) if judged else None,
        choices=judged.choices if judged else (),
        refused=judged.refused if judged else (),
        reasons=verdict.reasons,
        doubts=judged.doubts if judged else (),
        match=match,
        revision=1,
        received_at=event.received_at,
    )


def _state(opened: _Opened, match: Match | None) -> ApplicationState:
    """Return held for a possible duplicate and for a doubt; a person decides about both."""
    if not opened.stands:
        return ApplicationState.REJECTED
    doubtful = isinstance(opened.verdict, Judged) and bool(opened.verdict.doubts)
    return ApplicationState.HELD if match is not None or doubtful else ApplicationState.ACCEPTED


def _audit_event(opened: _Opened, keys: CampaignKeys) -> AuditEvent:
    outcome = "unreadable" if isinstance(opened.verdict, Unreadable) else "opened"
    subject = keys.subject_of(opened.event.application_id)
    return AuditEvent("vault", "service", "open", "intake", opened.event.campaign, subject, outcome)
