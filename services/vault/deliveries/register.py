"""Read what the checks and texts need to know about applicants, without the person."""

from collections.abc import Sequence

from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.stored import StoredApplication
from services.vault.deliveries.left_out_repository import LeftOut, LeftOutRepository
from services.vault.deliveries.rules.checks import Register, RegisterEntry
from services.vault.deliveries.shared_addresses import SharedAddresses, Ways
from services.vault.deliveries.slips_repository import SlipRepository
from shared.ids import Token
from shared.storage import Store, UnitOfWork


class RegisterReader:
    """Read the register and the newest slip numbers of several applicants at once."""

    def __init__(self, store: Store) -> None:
        self._applications, self._slips = ApplicationRepository(store), SlipRepository(store)
        self._left_out, self._addresses = LeftOutRepository(store), SharedAddresses(store)

    async def read(self, tokens: Sequence[Token], uow: UnitOfWork | None = None) -> Register:
        """Return the register of these applicants; unknown and erased tokens are absent."""
        applications = await self._applications.by_tokens(tokens, uow)
        left_out = await self._left_out.among(list(applications), uow)
        ways = await self._addresses.ways([applications[token] for token in sorted(left_out)], uow)
        entries = {
            token: _entry(application, left_out.get(token), ways.get(token, frozenset()))
            for token, application in applications.items()
        }
        return Register(entries, await self._slips.newest(tokens, uow))


def _entry(application: StoredApplication, left_out: LeftOut | None, ways: Ways) -> RegisterEntry:
    kind = None if left_out is None else left_out.kind
    return RegisterEntry(
        campaign=application.campaign,
        receipt=application.receipt,
        entry=application.entry,
        version=application.content_version,
        is_paper=application.channel != "web",
        has_mail=application.contact == "mail",
        is_decided=application.own_status != "under-review",
        choices=application.choices,
        refused=application.refused,
        reasons=application.own_reasons,
        same_person_ways=ways if kind == "same-person" and application.gave_way else frozenset(),
        undecided_ways=ways & {"card"} if kind == "undecided" else None,
        left_out_of=0 if left_out is None else left_out.n,
    )
