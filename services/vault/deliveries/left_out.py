"""Tell applicants after the draw that their application was not in it because of another one, or of an open doubt.

- Another application of the same person stands: only a mail or postal address that the standing application gave, too,
  is notified. Anybody can apply in the name of another person with an own address, and must not learn that the person
  applied (`docs/protocols.md` §1 and §3).
- A list was frozen by approval and a doubt is still undecided when its draw is published: a card goes to a postal
  address that the application in the draw gave, too. Otherwise a handler telephones, and says nothing of another
  application (ADR 54).
- An application has no slip of the published draw, because it was accepted after the freeze or judged after the
  publication (`left_out_watch`): as above; one that is accepted is told by telephone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from services.vault.applications.events import publish_left_out
from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.rules.states import ApplicationState
from services.vault.applications.stored import StoredApplication
from services.vault.deliveries.left_out_repository import LeftOut, LeftOutRepository
from services.vault.deliveries.published_draws_repository import PublishedDraw, PublishedDrawRepository
from services.vault.deliveries.shared_addresses import SharedAddresses, Ways
from services.vault.deliveries.slips_repository import SlipRepository
from shared.contracts import DrawPublished, StaffAct, StaffActed
from shared.ids import CampaignId, DrawId, Token
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

_CHUNK: Final = 1_000
"""Applications whose addresses are compared at once."""

_UNDECIDED: Final = frozenset({ApplicationState.HELD, ApplicationState.ACCEPTED})
"""States of an application that was not in the draw though nothing is decided against it."""


class LeftOutNotices:
    """Handle `draw.published`: publish whom the notifier tells, and by which way."""

    def __init__(self, store: Store) -> None:
        self._applications, self._rows = ApplicationRepository(store), LeftOutRepository(store)
        self._addresses, self._slips = SharedAddresses(store), SlipRepository(store)
        self._draws = PublishedDrawRepository(store)

    async def on_published(self, events: Sequence[DrawPublished], uow: UnitOfWork) -> None:
        """Publish the applicants to tell; a further draw adds those who gave way or are in doubt since."""
        for event in events:
            await self._draws.add_published(uow, event)
        for campaign in dict.fromkeys(event.campaign for event in events):
            await self._tell(uow, campaign)

    async def on_acted(self, events: Sequence[StaffActed], uow: UnitOfWork) -> None:
        """Record draws that were given up: until the next one is published, nobody is left out of it."""
        for event in events:
            for item in event.items:
                if item.act is StaffAct.REDRAW and event.campaign is not None and event.service == "lottery":
                    await self._draws.add_given_up(uow, event.campaign, DrawId(item.case))

    async def tell_late(
        self, uow: UnitOfWork, campaign: CampaignId, tokens: Sequence[Token], draw: PublishedDraw
    ) -> None:
        """Publish those of these applicants who were not told yet and have no slip of the draw; nobody else changes."""
        informed = await self.find_informed(await self._rows.among(tokens, uow), draw, uow)
        known = informed | await self._slips.issued(campaign, draw.n, uow, among=tokens)
        found = await self._applications.by_tokens(tokens, uow)
        late = [one for token, one in found.items() if token not in known and _is_late(one)]
        await self._publish(uow, campaign, late, await self._left_out(late, draw, uow))

    async def find_informed(
        self, before: Mapping[Token, LeftOut], draw: PublishedDraw | None, uow: UnitOfWork | None = None
    ) -> set[Token]:
        """Return those who were told and need not be told again: no draw between had them."""
        n = 0 if draw is None else draw.n
        newest = await self._slips.newest([token for token, one in before.items() if one.n < n], uow)
        return {token for token, one in before.items() if not one.n <= newest.get(token, -1) < n}

    async def _tell(self, uow: UnitOfWork, campaign: CampaignId) -> None:
        draw = await self._draws.find(campaign, uow)
        before = await self._rows.of_campaign(campaign, uow)
        informed = await self.find_informed(before, draw, uow)
        applications = await self._applications.left_out(campaign, uow)
        notified = await self._left_out(applications, draw, uow)
        fresh = {token: one for token, one in notified.items() if token not in informed or before[token] != one}
        gone = before.keys() - notified.keys()
        await self._rows.remove(uow, gone - await self._without_slip(uow, campaign, gone, draw))
        await self._publish(uow, campaign, applications, fresh)

    async def _left_out(
        self, applications: Sequence[StoredApplication], draw: PublishedDraw | None, uow: UnitOfWork
    ) -> dict[Token, LeftOut]:
        notified: dict[Token, LeftOut] = {}
        for start in range(0, len(applications), _CHUNK):
            chunk = applications[start : start + _CHUNK]
            ways = await self._addresses.ways(chunk, uow)
            for one in chunk:
                if one.token is not None and (left_out := _left_out(one, ways.get(one.token, frozenset()))):
                    notified[one.token] = left_out if draw is None else replace(left_out, n=draw.n)
        return notified

    async def _without_slip(
        self, uow: UnitOfWork, campaign: CampaignId, tokens: Iterable[Token], draw: PublishedDraw | None
    ) -> set[Token]:
        """Return those accepted without a slip: they were told as left out, and no draw has them since."""
        if draw is None:
            return set()
        found = await self._applications.by_tokens(sorted(tokens), uow)
        accepted = {token for token, one in found.items() if one.state is ApplicationState.ACCEPTED}
        return accepted - await self._slips.issued(campaign, draw.n, uow, among=sorted(accepted))

    async def _publish(
        self,
        uow: UnitOfWork,
        campaign: CampaignId,
        applications: Sequence[StoredApplication],
        fresh: Mapping[Token, LeftOut],
    ) -> None:
        await self._rows.put(uow, campaign, fresh)
        changed = [(one, fresh[one.token]) for one in applications if one.token is not None and one.token in fresh]
        await self._applications.raise_revisions(uow, [one.application_id for one, _ in changed])
        for n in sorted({left_out.n for _, left_out in changed}):
            of_draw = ((one, left_out.kind, left_out.contact) for one, left_out in changed if left_out.n == n)
            await publish_left_out(uow, campaign, of_draw, n or None)
        if changed:
            _log.info("left-out-asked", campaign=campaign, count=len(changed))


def _is_late(application: StoredApplication) -> bool:
    """Return True for an application that may be told as left out if it has no slip."""
    return application.state in _UNDECIDED or application.gave_way


def _left_out(application: StoredApplication, ways: Ways) -> LeftOut | None:
    """Return what is told and how; None where the other application gave no address of this one."""
    if application.state in _UNDECIDED:
        return LeftOut("undecided", "post" if "card" in ways else "telephone")
    if not ways:
        return None
    return LeftOut("same-person", "mail" if "mail" in ways else "post")
