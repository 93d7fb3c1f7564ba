"""Search people for a handler: the scan is one audit line, and each person shown is one more (R-C7)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.rules.match_keys import Readings
from services.vault.applications.stored import StoredApplication
from services.vault.audit import AuditEvent, AuditLog
from services.vault.identities.reveal import Identities, Revealed
from services.vault.keys.keystore import Keystore
from services.vault.people.rules.account import Account
from services.vault.telephone.rules.masking import mask_age, mask_name, mask_phone
from services.vault.telephone.rules.purposes import CAMPAIGN_PURPOSE, DeskPurpose
from services.vault.telephone.rules.query import PersonQuery
from services.vault.telephone.scan import IdentityScan
from shared.ids import CampaignId
from shared.storage import Store

PAGE: Final = 20
"""People on one page of results; each is opened, masked and audited."""

MOST_PAGES: Final = 5
"""Pages that a search shows. Who needs more must search for more."""


@dataclass(frozen=True)
class Caller:
    """Handler at the desk, and the purpose chosen before the search."""

    account: Account
    purpose: DeskPurpose

    @property
    def role(self) -> str:
        """Roles as audit lines name them."""
        return "+".join(sorted(self.account.roles))

    def event(self, action: str, campaign: CampaignId, subject: str | None, outcome: str) -> AuditEvent:
        """Return the audit event of an act of this handler."""
        return AuditEvent(self.account.id, self.role, action, CAMPAIGN_PURPOSE, campaign, subject, outcome)


@dataclass(frozen=True)
class FoundPerson:
    """Line of a result. `name`, `age`, `phone` are masked; empty where no version could be read."""

    application: StoredApplication
    name: str = field(default="", repr=False)
    age: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)


@dataclass(frozen=True)
class SearchResult:
    """One page of a search. `total`: people found, of whom at most PAGE × MOST_PAGES are shown."""

    people: Sequence[FoundPerson]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """Number of pages that can be shown."""
        return min(MOST_PAGES, -(-self.total // PAGE))


class PersonSearch:
    """Search one campaign."""

    def __init__(
        self, store: Store, keystore: Keystore, audit: AuditLog, identities: Identities, readings: Readings
    ) -> None:
        self._applications, self._scan = ApplicationRepository(store), IdentityScan(store, readings)
        self._keystore, self._audit, self._identities = keystore, audit, identities

    async def search(self, caller: Caller, campaign: CampaignId, query: PersonQuery, page: int = 1) -> SearchResult:
        """Return one page of the people whom the query fits, in order of receipt number.

        Raises VaultLockedError, KeyDestroyedError; NotRecordedError, and then nothing is shown.
        """
        found, total = await self._find(campaign, query)
        action = "search-scan" if query.needs_scan else "search-number"
        await self._audit.record([caller.event(f"{action}:{caller.purpose}", campaign, None, f"found-{total}")])
        page = max(1, min(page, MOST_PAGES))
        shown = sorted(found, key=lambda one: one.receipt)[(page - 1) * PAGE : page * PAGE]
        return SearchResult(await self._masked(caller, shown), total, page)

    async def _find(self, campaign: CampaignId, query: PersonQuery) -> tuple[list[StoredApplication], int]:
        """Return the first applications and the number of all; the scan stands for what is no number."""
        keys = self._keystore.campaign(campaign)
        if query.needs_scan:
            ids = await self._scan.find(campaign, keys, query)
            return await self._applications.of_ids(ids[: PAGE * MOST_PAGES]), len(ids)
        if query.receipt is not None:
            found = await self._applications.by_receipt(campaign, query.receipt)
        else:
            found = await self._applications.by_entry(campaign, query.entry or "")
        return found, len(found)

    async def _masked(self, caller: Caller, applications: Sequence[StoredApplication]) -> list[FoundPerson]:
        tokens = [one.token for one in applications if one.token is not None]
        people = await self._identities.reveal(
            tokens,
            purpose=CAMPAIGN_PURPOSE,
            actor=caller.account.id,
            case=f"list-{caller.purpose}",
            role=caller.role,
        )
        return [_masked(one, people.get(one.token) if one.token is not None else None) for one in applications]


def _masked(application: StoredApplication, revealed: Revealed | None) -> FoundPerson:
    if revealed is None:
        return FoundPerson(application)
    person = revealed.person
    return FoundPerson(application, mask_name(person.name), mask_age(person), mask_phone(person.phone))
