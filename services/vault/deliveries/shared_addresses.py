"""Compare the addresses of an application with those of the one that stands before it, by keyed hashes."""

from collections.abc import Collection, Mapping, Sequence

from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.rules.states import ApplicationState
from services.vault.applications.stored import StoredApplication
from services.vault.identities.repository import IdentityRepository, StoredIdentity
from shared.contracts import NoticeChannel
from shared.ids import ApplicationId, Token
from shared.storage import Store, UnitOfWork

Ways = frozenset[NoticeChannel]
"""Ways by which an application and the standing one reach the same mailbox or the same house."""


class SharedAddresses:
    """Find the ways that the application before it gave, too. Nothing is decrypted."""

    def __init__(self, store: Store) -> None:
        self._applications, self._identities = ApplicationRepository(store), IdentityRepository(store)

    async def ways(self, applications: Sequence[StoredApplication], uow: UnitOfWork | None = None) -> dict[Token, Ways]:
        """Return token → ways of those that gave way to another application or are held for it; no others."""
        behind = {one.token: one for one in applications if one.is_behind_another and one.token is not None}
        if not behind:
            return {}
        known = await self._followed(list(behind.values()), uow)
        original_of = {token: _original(one, known) for token, one in behind.items()}
        tokens = {*behind, *(one.token for one in original_of.values() if one and one.token)}
        people = {one.token: one for one in await self._identities.by_tokens(sorted(tokens), uow)}
        return {
            token: _common(people.get(token), people.get(one.token) if one and one.token else None)
            for token, one in original_of.items()
        }

    async def _followed(
        self, applications: Collection[StoredApplication], uow: UnitOfWork | None
    ) -> dict[ApplicationId, StoredApplication]:
        """Return these applications and all that their matches lead to."""
        known = {one.application_id: one for one in applications}
        while missing := _unknown_matches(known):
            found = await self._applications.of_ids(missing, uow)
            if not found:
                break
            known |= {one.application_id: one for one in found}
        return known


def _unknown_matches(known: Mapping[ApplicationId, StoredApplication]) -> set[ApplicationId]:
    return {one.match.application_id for one in known.values() if one.is_behind_another and one.match} - known.keys()


def _original(one: StoredApplication, known: Mapping[ApplicationId, StoredApplication]) -> StoredApplication | None:
    """Return the application at the end of the matches; None if they end nowhere.

    One that gave way is compared with the application that it gave way to, which may be held. One that is held is
    compared with an application that is in the draw.
    """
    seen: set[ApplicationId] = set()
    is_held, at = not one.gave_way, known.get(one.application_id)
    while at is not None and (at.is_behind_another if is_held else at.gave_way) and at.application_id not in seen:
        seen.add(at.application_id)
        at = known.get(at.match.application_id) if at.match else None
    if at is None or at.gave_way or (is_held and at.state is not ApplicationState.ACCEPTED):
        return None
    return at


def _common(one: StoredIdentity | None, other: StoredIdentity | None) -> Ways:
    """Return the ways that lead to one mailbox, and to one house."""
    if one is None or other is None or one.token == other.token:
        return frozenset()
    ways: set[NoticeChannel] = set()
    if one.mailbox is not None and one.mailbox == other.mailbox:
        ways.add("mail")
    if one.residence is not None and one.residence == other.residence:
        ways.add("card")
    return frozenset(ways)
