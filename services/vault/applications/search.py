"""Search for applications of one person: candidates by keyed blocks, opened in memory, one audit line a batch."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.vault.applications.index_repository import BlindIndexRepository
from services.vault.applications.matching import COPY, keyed_blocks, keyed_hashes
from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.rules.match_keys import Readings
from services.vault.applications.rules.pairs import Pair
from services.vault.applications.rules.similarity import Compared, compare
from services.vault.audit import AuditEvent, AuditLog
from services.vault.identities.person import Person
from services.vault.identities.repository import IdentityRepository, StoredIdentity
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import NotDecryptableError
from services.vault.keys.keystore import Keystore
from shared.ids import CampaignId
from shared.storage import Store, UnitOfWork

PURPOSE: Final = "eligibility"


@dataclass(frozen=True)
class Arriving:
    """A person who arrives, under the name of the content; in memory only."""

    content: str
    person: Person = field(repr=False)
    at: datetime


@dataclass(frozen=True)
class Searched:
    """Result of a search: blocks (keyed hash → kind) by content, and the doubts that are new."""

    blocks: Mapping[str, Mapping[str, str]]
    pairs: Sequence[Pair]


class DuplicateSearch:
    """Find the doubts of contents that arrive. A content that is known was compared when it arrived first."""

    def __init__(self, store: Store, keystore: Keystore, audit: AuditLog, readings: Readings) -> None:
        self._applications, self._identities = ApplicationRepository(store), IdentityRepository(store)
        self._keystore, self._audit, self._readings = keystore, audit, readings

    async def find(self, uow: UnitOfWork, campaign: CampaignId, arriving: Sequence[Arriving]) -> Searched:
        """Return the doubts between the arriving people, and between them and those who have applied."""
        keys = self._keystore.campaign(campaign)
        compared, blocks = await asyncio.to_thread(self._prepare, keys, arriving)
        index = await BlindIndexRepository(uow, campaign).contents({one for each in blocks.values() for one in each})
        known = {content for contents in index.values() for content in contents}
        fresh = {one.content: one.at for one in arriving if one.content not in known}
        near = {one: {other for block in blocks[one] for other in index.get(block, ())} for one in fresh}
        opened = await self._open(uow, campaign, keys, {other for others in near.values() for other in others})
        everybody = opened | {one: compared[one] for one in fresh}
        candidates = {frozenset({one, other}) for one, others in near.items() for other in others}
        candidates |= {frozenset(two) for two in _sharing(blocks, fresh)}
        pairs = await asyncio.to_thread(lambda: list(_doubts(candidates, everybody, fresh)))
        return Searched(blocks, pairs)

    def _prepare(
        self, keys: CampaignKeys, arriving: Sequence[Arriving]
    ) -> tuple[dict[str, Compared], dict[str, dict[str, str]]]:
        compared = {one.content: Compared.of(one.person, self._readings) for one in arriving}
        return compared, {content: keyed_blocks(keys, one) for content, one in compared.items()}

    async def _open(
        self, uow: UnitOfWork, campaign: CampaignId, keys: CampaignKeys, contents: set[str]
    ) -> dict[str, Compared]:
        """Open one application of each content, after one audit line for all of them."""
        rows = await self._applications.with_contents(uow, campaign, contents, copies=False)
        tokens = {row.keys[COPY]: row.token for row in rows if row.token is not None}
        if not tokens:
            return {}
        stored = await self._identities.by_tokens(list(tokens.values()), uow)
        await self._audit.record([search_event(campaign, "batch", len(stored))])
        return await asyncio.to_thread(self.compared, keys, stored)

    def compared(self, keys: CampaignKeys, stored: Iterable[StoredIdentity]) -> dict[str, Compared]:
        """Return content → what is compared of each identity; damaged ones are left out."""
        found = {}
        for identity in stored:
            try:
                person = identity.decrypt(keys).person
            except NotDecryptableError:
                continue
            found[keyed_hashes(keys, person)[COPY]] = Compared.of(person, self._readings)
        return found


def search_event(campaign: CampaignId, what: str, opened: int) -> AuditEvent:
    """Return the one audit line of a search; no single person is its subject."""
    return AuditEvent("vault", "service", f"search:{what}", PURPOSE, campaign, None, f"opened:{opened}")


def _sharing(blocks: Mapping[str, Mapping[str, str]], fresh: Mapping[str, datetime]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of new contents that share a block."""
    members: dict[str, list[str]] = {}
    for content in fresh:
        for block in blocks[content]:
            for other in members.setdefault(block, []):
                yield other, content
            members[block].append(content)


def _doubts(
    candidates: Iterable[frozenset[str]], everybody: Mapping[str, Compared], fresh: Mapping[str, datetime]
) -> Iterator[Pair]:
    for candidate in candidates:
        one, other = sorted(candidate)
        if one in everybody and other in everybody:
            likeness = compare(everybody[one], everybody[other])
            if likeness.is_doubt:
                yield Pair.of(one, other, likeness, max(fresh[each] for each in candidate if each in fresh))
