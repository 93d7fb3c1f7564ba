"""From sealed bytes to a verdict: a batch is opened, judged, searched for duplicates, stored and announced at once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.vault.applications import repository as register
from services.vault.applications.duplicates import DuplicateSearch, Match, index_keys
from services.vault.applications.events import publish_verdicts
from services.vault.applications.rules.contacts import contact_channel, mail_domain_class
from services.vault.applications.rules.content import Judged, Unreadable, judge
from services.vault.applications.rules.residency import Municipalities
from services.vault.audit import AuditEvent, AuditLog
from services.vault.identities import repository as identities
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.sealing import NotOpenedError, Opener
from services.vault.keys.keystore import Keystore
from shared.campaign import Campaign
from shared.contracts import ApplicationReceived
from shared.errors import PermanentError
from shared.ids import CampaignId, Token, new_token
from shared.storage import UnitOfWork


@dataclass(frozen=True)
class _Opened:
    """One application after the keys were used on it; `identity` is encrypted again already."""

    event: ApplicationReceived
    verdict: Judged | Unreadable
    token: Token | None
    identity: dict[str, Any] | None
    hashes: dict[str, str]


class ApplicationProcessor:
    """Handles `application.received`. While the vault is locked, messages wait in the retry ladder."""

    def __init__(
        self,
        keystore: Keystore,
        audit: AuditLog,
        campaigns: Mapping[CampaignId, Campaign],
        municipalities: Municipalities,
    ) -> None:
        self._keystore, self._audit = keystore, audit
        self._campaigns, self._municipalities = campaigns, municipalities

    async def on_received(self, events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
        for campaign in dict.fromkeys(event.campaign for event in events):
            await self._admit(campaign, [event for event in events if event.campaign == campaign], uow)

    async def _admit(self, campaign: CampaignId, events: list[ApplicationReceived], uow: UnitOfWork) -> None:
        keys = self._keys(campaign)
        seen = await register.known_ids(uow, [event.application_id for event in events])
        fresh = {event.application_id: event for event in events if event.application_id not in seen}
        if not fresh:
            return
        opened = await asyncio.to_thread(self._open_all, campaign, keys, list(fresh.values()))
        await self._audit.record([_audited(each, keys) for each in opened])
        documents = await _judge_together(uow, campaign, opened)
        known = [each.identity for each in opened if each.identity is not None]
        if known:
            await uow.db[identities.COLLECTION].insert_many(known, session=uow.session)
        await uow.db[register.COLLECTION].insert_many(documents, session=uow.session)
        await publish_verdicts(uow, campaign, documents)

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
            plaintext = opener.open(event.sealed, event.key_id, event.application_id)
        except NotOpenedError:
            return _Opened(event, Unreadable(("malformed",)), None, None, {})
        verdict = judge(plaintext, event.channel, self._campaigns[event.campaign], self._municipalities)
        if isinstance(verdict, Unreadable):
            return _Opened(event, verdict, None, None, {})
        token = new_token()
        identity = identities.identity_document(
            keys,
            token=token,
            campaign=event.campaign,
            application_id=event.application_id,
            receipt=event.receipt,
            person=verdict.person,
        )
        return _Opened(event, verdict, token, identity, index_keys(keys, verdict.person))


async def _judge_together(uow: UnitOfWork, campaign: CampaignId, opened: Sequence[_Opened]) -> list[dict[str, Any]]:
    """The register's documents. In order of arrival, so that of two equal ones the earlier stands."""
    search = DuplicateSearch(uow, campaign)
    await search.load(value for each in opened for value in each.hashes.values())
    documents = []
    for each in sorted(opened, key=lambda one: (one.event.received_at, one.event.application_id)):
        match = search.match(each.hashes) if _stands(each.verdict) else None
        if _stands(each.verdict) and match is None:
            search.register(each.event.application_id, each.hashes)
        documents.append(_document(each, match))
    await search.save()
    return documents


def _stands(verdict: Judged | Unreadable) -> bool:
    return isinstance(verdict, Judged) and not verdict.reasons


def _document(opened: _Opened, match: Match | None) -> dict[str, Any]:
    verdict, event = opened.verdict, opened.event
    judged = verdict if isinstance(verdict, Judged) else None
    held = judged is not None and not judged.reasons and (match is not None or bool(judged.doubts))
    return {
        "_id": event.application_id,
        "campaign": event.campaign,
        "receipt": event.receipt,
        "channel": event.channel,
        "state": "held" if held else "rejected" if verdict.reasons else "accepted",
        "token": opened.token,
        "contact": contact_channel(judged.person) if judged else None,
        "mail_domain_class": mail_domain_class(judged.person) if judged else None,
        "choices": [choice.model_dump() for choice in judged.choices] if judged else [],
        "refused": [refusal.model_dump() for refusal in judged.refused] if judged else [],
        "reasons": list(verdict.reasons),
        "doubts": list(judged.doubts) if judged else [],
        "match": {"application_id": match.application_id, "kind": match.kind} if match else None,
        "revision": 1,
        "received_at": event.received_at,
    }


def _audited(opened: _Opened, keys: CampaignKeys) -> AuditEvent:
    outcome = "unreadable" if isinstance(opened.verdict, Unreadable) else "opened"
    subject = keys.subject_of(opened.event.application_id)
    return AuditEvent("vault", "service", "open", "intake", opened.event.campaign, subject, outcome)
