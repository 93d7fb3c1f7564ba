"""Change an application for a person who asked: by a sealed version like the applicant's, or its contact alone.

Before the window closes, the vault seals a version under the applicant's own code. The handler's browser posts it to
intake's public address, so that receipt document, roll and verdict hold (ADR 40). After that the contact alone changes,
here.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.vault.applications.act_repository import ActRepository, ApplicationAct
from services.vault.applications.events import publish_contacts
from services.vault.applications.matching import residence_hash
from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.rules.contacts import contact_channel, mail_domain_class
from services.vault.applications.rules.content import Judged, judge
from services.vault.applications.rules.residency import Municipalities
from services.vault.applications.stored import StoredApplication
from services.vault.identities.person import Person
from services.vault.identities.repository import IdentityRepository, StoredIdentity
from services.vault.identities.reveal import Identities, Revealed
from services.vault.keys.ciphers.opening import seal_version
from services.vault.keys.keystore import Keystore
from services.vault.telephone.rules.acts import ActReason, DeskAct, acts_at
from services.vault.telephone.rules.change_form import content_of, read_choices, with_contact, withdrawal_of
from services.vault.telephone.rules.purposes import CAMPAIGN_PURPOSE
from services.vault.telephone.search import Caller
from shared.campaign import Campaign
from shared.clock import Clock
from shared.codes import intake_proof
from shared.errors import RefusedError
from shared.ids import ApplicationId, CampaignId
from shared.json_types import JsonObject
from shared.storage import Store, UnitOfWork


class ChangeRefusedError(RefusedError):
    """Raised when nothing was changed. `reason`: `not-now`, `unknown` or `not-usable`; texts name it."""


@dataclass(frozen=True)
class SealedVersion:
    """Body of the request to intake for one version, and its number."""

    application_id: ApplicationId
    campaign: CampaignId
    version: int
    body: JsonObject = field(repr=False)


class ApplicationChanges:
    """Carry out changes; each is one audit line with purpose, handler and reason, before anything is opened."""

    def __init__(
        self,
        store: Store,
        keystore: Keystore,
        identities: Identities,
        campaigns: Mapping[CampaignId, Campaign],
        municipalities: Municipalities,
        clock: Clock,
    ) -> None:
        self._store, self._keystore, self._identities, self._campaigns = store, keystore, identities, campaigns
        self._municipalities, self._clock = municipalities, clock
        self._applications, self._people, self._acts = (
            ApplicationRepository(store),
            IdentityRepository(store),
            ActRepository(store),
        )

    async def correct(
        self, caller: Caller, application_id: ApplicationId, reason: ActReason, sent: Mapping[str, str]
    ) -> SealedVersion:
        """Seal a version with the fields of the form. Raises ChangeRefusedError, VaultLockedError."""
        application, campaign = await self._load(application_id, DeskAct.CORRECT)
        revealed = await self._reveal(caller, application, DeskAct.CORRECT, reason)
        choices = read_choices(campaign, sent)
        content = content_of(campaign, revealed.code, sent, choices, application.channel)
        self._judged(content, campaign)
        return await self._sealed(caller, application, content, revealed, DeskAct.CORRECT, reason)

    async def withdraw(self, caller: Caller, application_id: ApplicationId, reason: ActReason) -> SealedVersion:
        """Seal a withdrawal. Raises ChangeRefusedError, VaultLockedError."""
        application, _ = await self._load(application_id, DeskAct.WITHDRAW)
        revealed = await self._reveal(caller, application, DeskAct.WITHDRAW, reason)
        content = withdrawal_of(revealed.code)
        return await self._sealed(caller, application, content, revealed, DeskAct.WITHDRAW, reason)

    async def change_contact(
        self, caller: Caller, application_id: ApplicationId, reason: ActReason, sent: Mapping[str, str]
    ) -> None:
        """Replace address, telephone and mail of a person, and publish the contact. Raises ChangeRefusedError."""
        application, campaign = await self._load(application_id, DeskAct.CONTACT)
        revealed = await self._reveal(caller, application, DeskAct.CONTACT, reason)
        choices: list[JsonObject] = [{"class": one.id, "seats": one.seats[0]} for one in campaign.classes[:1]]
        fields = with_contact(revealed.person, sent)
        person = self._judged(content_of(campaign, revealed.code, fields, choices, application.channel), campaign)
        act = self._act(caller, application, DeskAct.CONTACT, reason)

        async def write(uow: UnitOfWork) -> None:
            await self._write_contact(uow, application_id, person, revealed, act)

        await self._store.transact(write)

    async def _write_contact(
        self, uow: UnitOfWork, application_id: ApplicationId, person: Person, revealed: Revealed, act: ApplicationAct
    ) -> None:
        known = await self._applications.by_ids(uow, revealed.campaign, {application_id})
        changed = replace(
            known[application_id],
            contact=contact_channel(person),
            mail_domain_class=mail_domain_class(person),
            revision=known[application_id].revision + 1,
        )
        keys = self._keystore.campaign(revealed.campaign)
        identity = StoredIdentity.encrypt(
            keys,
            token=revealed.token,
            campaign=revealed.campaign,
            application_id=application_id,
            receipt=revealed.receipt,
            person=person,
            code=revealed.code,
            residence=residence_hash(keys, person),
        )
        await self._people.replace(uow, identity)
        await self._applications.replace(uow, changed)
        await self._acts.insert(act, uow)
        await publish_contacts(uow, revealed.campaign, [changed])

    async def _load(self, application_id: ApplicationId, act: DeskAct) -> tuple[StoredApplication, Campaign]:
        application = await self._applications.find(application_id)
        if application is None or application.campaign not in self._campaigns or application.token is None:
            raise ChangeRefusedError("unknown")
        campaign = self._campaigns[application.campaign]
        if act not in acts_at(campaign.window, self._clock.now()):
            raise ChangeRefusedError("not-now")
        return application, campaign

    async def _reveal(
        self, caller: Caller, application: StoredApplication, act: DeskAct, reason: ActReason
    ) -> Revealed:
        tokens = [] if application.token is None else [application.token]
        found = await self._identities.reveal(
            tokens, purpose=CAMPAIGN_PURPOSE, actor=caller.account.id, case=f"{act}-{reason}", role=caller.role
        )
        if not found:
            raise ChangeRefusedError("unknown")
        return next(iter(found.values()))

    def _judged(self, content: JsonObject, campaign: Campaign) -> Person:
        """Return the person as the vault would read this version. Raises ChangeRefusedError if it could not."""
        verdict = judge(_written(content), "web", campaign, self._municipalities)
        if not isinstance(verdict, Judged):
            raise ChangeRefusedError("not-usable")
        return verdict.person

    async def _sealed(
        self,
        caller: Caller,
        application: StoredApplication,
        content: JsonObject,
        revealed: Revealed,
        act: DeskAct,
        reason: ActReason,
    ) -> SealedVersion:
        secret = self._keystore.campaign(application.campaign).current
        own, version = application.application_id, application.version + 1
        sealed = await asyncio.to_thread(seal_version, application.campaign, secret, own, version, _written(content))
        await self._acts.insert(self._act(caller, application, act, reason, str(version)))
        proof = intake_proof(application.campaign, own, revealed.code)
        body: JsonObject = {"v": 2, "version": version, "key_id": secret.key_id, "sealed": sealed, "proof": proof}
        return SealedVersion(own, application.campaign, version, body)

    def _act(
        self, caller: Caller, application: StoredApplication, act: DeskAct, reason: ActReason, detail: str = ""
    ) -> ApplicationAct:
        own = application.application_id
        now = self._clock.now()
        return ApplicationAct(application.campaign, own, act.value, reason.value, caller.account.id, now, detail)


def _written(content: JsonObject) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
