"""Decide who may sign in now, and publish each change, so that sessions end everywhere within seconds (R-S6, R-C18).

From–to and training count on the campaign's clock; the moment from which sign-ins are void is on the machine's clock.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Final

from services.vault.people.repository import AccountRepository, StoredAccount
from services.vault.people.rules.account import Account, NotAdmittedReason, reason_not_admitted
from services.vault.people.session_repository import SessionRepository
from shared.clock import Clock
from shared.contracts import StaffChanged
from shared.dates import TOKYO
from shared.errors import TransientError
from shared.logging import describe, get_logger
from shared.staff_roles import Role
from shared.storage import PyMongoError, Store, UnitOfWork

EVERY_S: Final = 1.0
"""Seconds between two looks at all accounts; sessions end everywhere within five."""

_TICK: Final = timedelta(milliseconds=1)
"""Smallest step of time that the database keeps."""

_log = get_logger(__name__)


class DutyCheck:
    """One per vault process; several processes may publish the same change, which does no harm."""

    def __init__(self, store: Store, accounts: AccountRepository, sessions: SessionRepository, clock: Clock) -> None:
        self._store, self._accounts, self._sessions, self._clock = store, accounts, sessions, clock

    def today(self) -> date:
        """Return the campaign's day in Tokyo."""
        return self._clock.now().astimezone(TOKYO).date()

    def reason(self, account: Account) -> NotAdmittedReason | None:
        """Return why the person may not sign in today, or None."""
        return reason_not_admitted(account, self.today())

    async def publish(self, uow: UnitOfWork, account: Account) -> None:
        """End the person's sessions here and elsewhere, and publish the roles with which a new sign-in is possible."""
        admitted, now = self.reason(account) is None, next_moment()
        stored = await self._accounts.find(account.id, uow.session)
        if stored is not None and stored.last_sign_in is not None:
            # Later than each sign-in, also than one that a process with a fast clock recorded.
            now = max(now, stored.last_sign_in + _TICK)
        await self._accounts.set_admitted(uow, account.id, admitted=admitted, not_before=now)
        await self._sessions.end_all(uow, account.id)
        await uow.emit(StaffChanged(sub=account.id, not_before=now, roles=self._roles(account)))

    async def publish_ended(self, uow: UnitOfWork, stored: StoredAccount, sid: str) -> None:
        """Publish that one session of the person has ended; sessions that began in others go on."""
        account = stored.account
        await uow.emit(
            StaffChanged(sub=account.id, not_before=stored.not_before, roles=self._roles(account), ended=(sid,))
        )

    async def check_all(self) -> None:
        """Publish the people who may sign in since today, or no longer."""
        for stored in await self._accounts.all():
            if stored.admitted != (self.reason(stored.account) is None):
                await self._publish_change(stored)

    async def _publish_change(self, stored: StoredAccount) -> None:
        async def publish(uow: UnitOfWork) -> None:
            current = await self._accounts.find(stored.account.id, uow.session)
            if current is not None and current.admitted != (self.reason(current.account) is None):
                await self.publish(uow, current.account)

        await self._store.transact(publish)

    def _roles(self, account: Account) -> tuple[Role, ...]:
        """Return the roles with which the person may sign in today."""
        return tuple(sorted(account.roles)) if self.reason(account) is None else ()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Check all accounts again and again while the block runs."""
        task = asyncio.create_task(self._keep_checking(), name="duty of staff")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep_checking(self) -> None:
        while True:
            try:
                await self.check_all()
            except (TransientError, PyMongoError) as error:
                _log.warning("watch-failed", **describe(error))
            await asyncio.sleep(EVERY_S)


def next_moment() -> datetime:
    """Return the machine's time, rounded up to the next millisecond, as the database keeps it.

    A sign-in in the same millisecond is void too: later ones are at or after this moment.
    """
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000) + _TICK
