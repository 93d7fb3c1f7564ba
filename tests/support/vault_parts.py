"""The vault's parts on a real database, wired as the service wires them, for tests that need no broker."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from services.vault.applications import index_repository
from services.vault.applications import repository as application_repository
from services.vault.applications.matching import COPY, keyed_hashes, residence_hash
from services.vault.audit import AuditLog
from services.vault.identities import repository as identities
from services.vault.identities.person import Person
from services.vault.identities.repository import StoredIdentity
from services.vault.identities.reveal import Identities
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.keystore import Keystore
from shared.campaign import Campaign, load_campaign
from shared.clock import FixedClock
from shared.codes import Code, EntryId, entry_id, lottery_proof, new_code, proof_digest
from shared.contracts import Event
from shared.ids import ApplicationId, CampaignId, Receipt, Token, new_application_id, new_token
from shared.receipts import candidates
from shared.storage import OUTBOX, Collection, Store
from tests.support.databases import own_database

CAMPAIGN = CampaignId("777-days")
RECEIPT_KEY = bytes(32)
SAMPLE = Path("deploy/campaigns/777-days.yaml")


@dataclass(frozen=True)
class Known:
    """Application in the vault, with its person in the clear."""

    token: Token
    application_id: ApplicationId
    receipt: Receipt
    person: Person
    code: Code

    @property
    def entry(self) -> EntryId:
        """Entry id of the application in the sample campaign."""
        return entry_id(CAMPAIGN, self.application_id, self.code)


@dataclass(frozen=True)
class Parts:
    store: Store
    campaign: Campaign
    clock: FixedClock
    keystore: Keystore
    audit: AuditLog
    identities: Identities
    state_dir: Path

    @property
    def campaigns(self) -> dict[CampaignId, Campaign]:
        return {self.campaign.id: self.campaign}

    @property
    def keys(self) -> CampaignKeys:
        return self.keystore.campaign(self.campaign.id)

    def allowing(self, purposes: frozenset[str]) -> "Parts":
        """Return the same parts under a campaign that allows only these purposes."""
        allowed = self.campaign.model_copy(update={"purposes": purposes})
        return replace(self, identities=Identities(self.store, self.keystore, self.audit, {allowed.id: allowed}))

    async def admit(self, people: Sequence[Person]) -> list[Known]:
        """Store people as if they had applied: identity, application and blind index."""
        known = [_known(person) for person in people]
        await self.store.db[identities.COLLECTION].insert_many([self._identity(each) for each in known])
        await self.store.db[application_repository.COLLECTION].insert_many([self._registered(each) for each in known])
        await self.store.db[index_repository.COLLECTION].insert_many(
            [
                {
                    "_id": f"{value}:{each.token}",
                    "campaign": self.campaign.id,
                    "kind": kind,
                    "contents": [],
                    "changes": 1,
                }
                for each in known
                for kind, value in keyed_hashes(self.keys, each.person).items()
                if kind != COPY
            ]
        )
        return known

    async def said(self, event_type: type[Event]) -> list[Event]:
        """Return the events that wait in the outbox."""
        lines = self.store.db[OUTBOX].find({"name": event_type.name}).sort("_id", 1)
        return [event_type.model_validate_json(line["body"]) async for line in lines]

    async def audited(self) -> str:
        return "\n".join(await self.audit.lines(0, 100_000))

    def _identity(self, known: Known) -> dict[str, object]:
        return StoredIdentity.encrypt(
            self.keys,
            token=known.token,
            campaign=self.campaign.id,
            application_id=known.application_id,
            receipt=known.receipt,
            person=known.person,
            code=known.code,
            residence=residence_hash(self.keys, known.person),
        ).to_document()

    def _registered(self, known: Known) -> dict[str, object]:
        return {
            "_id": known.application_id,
            "campaign": self.campaign.id,
            "receipt": known.receipt,
            "version": 1,
            "content_version": 1,
            "channel": "web",
            "state": "accepted",
            "token": known.token,
            "entry": known.entry,
            "proof_sha256": proof_digest(lottery_proof(CAMPAIGN, known.entry, known.code)),
            "contact": "post" if known.person.email is None else "mail",
            "mail_domain_class": None,
            "choices": [{"class_id": "junior-football", "seats": 1}],
            "refused": [{"class_id": "press-kids", "reason": "grade"}],
            "reasons": [],
            "doubts": [],
            "match": None,
            "keys": keyed_hashes(self.keys, known.person),
            "blocks": {},
            "revision": 1,
            "received_at": datetime(2018, 5, 20, tzinfo=UTC),
            "arrived_at": datetime(2018, 5, 20, tzinfo=UTC),
            "decided_by": None,
            "own_decision": None,
        }


@asynccontextmanager
async def parts(
    mongo_url: str, namespace: str, state_dir: Path, collections: Sequence[Collection], *, rehearsal: bool = False
) -> AsyncIterator[Parts]:
    campaign = load_campaign(SAMPLE).model_copy(update={"rehearsal": rehearsal})
    clock = FixedClock(campaign.close_out)
    keystore = Keystore.open(state_dir / "keys", "a passphrase of the tests")
    keystore.ensure_campaign(campaign.id, campaign.window.paper_until)
    own = (identities, index_repository, application_repository)
    async with own_database(mongo_url, f"{namespace}_vault") as store:
        audit = AuditLog(store, keystore.signing, clock, state_dir / "checkpoints")
        known = Identities(store, keystore, audit, {campaign.id: campaign})
        await store.ensure([*(each for part in own for each in part.collections()), *collections])
        yield Parts(store, campaign, clock, keystore, audit, known, state_dir)


def _known(person: Person) -> Known:
    application_id = new_application_id()
    receipt = next(candidates(RECEIPT_KEY, "web", application_id))
    return Known(new_token(), application_id, receipt, person, new_code(CAMPAIGN, application_id))
