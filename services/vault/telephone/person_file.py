"""Open one person for a handler, with all that the vault's own collections know about the application (R-C7).

What the lottery and the notifier know is shown by their own pages; the vault never gets it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.vault.applications.act_repository import ActRepository, ApplicationAct
from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.stored import StoredApplication
from services.vault.deliveries.repository import DeliveredNotice, DeliveryRepository
from services.vault.identities.person import Person
from services.vault.identities.reveal import Identities
from services.vault.papers.repository import PaperRepository, StoredPaper
from services.vault.telephone.rules.purposes import CAMPAIGN_PURPOSE
from services.vault.telephone.search import Caller
from shared.campaign import Campaign
from shared.codes import EntryNumber, entry_number
from shared.ids import ApplicationId, CampaignId, Receipt
from shared.storage import Store


@dataclass(frozen=True)
class PersonFile:
    """One application and its person. `person` is None where no version could be read, or the person was erased.

    `match_receipt`: receipt number of the application that looks like the same person.
    """

    campaign: Campaign
    application: StoredApplication
    person: Person | None = field(repr=False)
    match_receipt: Receipt | None
    papers: Sequence[StoredPaper]
    notices: Sequence[DeliveredNotice]
    acts: Sequence[ApplicationAct]

    @property
    def number(self) -> EntryNumber | None:
        """Entry number; None before a version had a code."""
        return None if self.application.entry is None else entry_number(self.application.entry)


class PersonFiles:
    """Open people, each time with one audit line."""

    def __init__(self, store: Store, identities: Identities, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._applications, self._deliveries = ApplicationRepository(store), DeliveryRepository(store)
        self._acts = ActRepository(store)
        self._papers, self._identities, self._campaigns = PaperRepository(store), identities, campaigns

    async def open(self, caller: Caller, application_id: ApplicationId) -> PersonFile | None:
        """Return the file after its audit line is durable; None for an unknown application.

        Raises PurposeNotAllowedError, VaultLockedError, NotRecordedError.
        """
        application = await self._applications.find(application_id)
        if application is None or application.campaign not in self._campaigns:
            return None
        person = await self._person(caller, application)
        matched = None if application.match is None else application.match.application_id
        receipts = await self._applications.receipts([matched] if matched else [])
        token = application.token
        return PersonFile(
            self._campaigns[application.campaign],
            application,
            person,
            receipts.get(matched) if matched else None,
            await self._papers.of_application(application_id),
            await self._deliveries.of_applicant(token) if token else (),
            await self._acts.of(application_id),
        )

    async def _person(self, caller: Caller, application: StoredApplication) -> Person | None:
        if application.token is None:
            return None
        opened = await self._identities.reveal(
            [application.token],
            purpose=CAMPAIGN_PURPOSE,
            actor=caller.account.id,
            case=f"open-{caller.purpose}",
            role=caller.role,
        )
        revealed = opened.get(application.token)
        return None if revealed is None else revealed.person
