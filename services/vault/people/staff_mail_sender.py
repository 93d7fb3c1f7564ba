"""Send the queued mails to staff, straight to the mail server, with a session beside those of the mail room."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from services.vault.deliveries.rules.states import DeliveryState
from services.vault.mail.rules.message import Mail, build_message
from services.vault.mail.session import MailServerAwayError, OutgoingMail, Recipient, SmtpSession
from services.vault.people.repository import AccountRepository
from services.vault.people.staff_mail_repository import StaffMail, StaffMailRepository
from shared.catalogue import Catalogue
from shared.dates import format_moment
from shared.errors import TransientError
from shared.ids import new_token
from shared.logging import describe, get_logger
from shared.storage import PyMongoError

_LEASE_S: Final = 120.0
"""Longer than one transaction with the mail server takes, so that two processes do not send the same mail."""

_MOST_ATTEMPTS: Final = 20
"""Attempts at a mail whose answer is lost again and again; a server that is away does not count."""

_log = get_logger(__name__)


@dataclass(frozen=True)
class StaffMailOffice:
    """Sender of staff mail: the office's name and address, and the address of the vault's staff pages."""

    name: str
    address: str
    pages: str


class StaffMailSender:
    """One per vault process, with or without others."""

    def __init__(
        self,
        mails: StaffMailRepository,
        accounts: AccountRepository,
        session: SmtpSession,
        office: StaffMailOffice,
        catalogues: Sequence[Catalogue],
        *,
        poll_s: float = 1.0,
    ) -> None:
        self._mails, self._accounts, self._session = mails, accounts, session
        self._office, self._catalogues, self._poll_s = office, catalogues, poll_s

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send while the block runs. A mail under way at its end is sent again by the next process."""
        task = asyncio.create_task(self._keep_sending(), name="staff mail")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._session.close()

    async def send_next(self) -> bool:
        """Send the mail that is due longest; return False if none is due. Raises VaultLockedError."""
        mail = await self._mails.claim(_LEASE_S)
        if mail is None:
            return False
        stored = await self._accounts.find(mail.to)
        if stored is None:
            await self._mails.delete(mail)
            return True
        try:
            outcome = await self._session.send(self._compose(mail, stored.account.mail))
        except MailServerAwayError:
            await self._mails.postpone(mail)
            raise
        await self._settle(mail, outcome.state)
        return True

    async def _settle(self, mail: StaffMail, state: DeliveryState) -> None:
        if state is DeliveryState.SENT:
            await self._mails.delete(mail)
        elif state is DeliveryState.REFUSED or mail.attempts >= _MOST_ATTEMPTS:
            _log.error("staff-mail-refused", attempts=mail.attempts)
            await self._mails.give_up(mail)
        else:
            await self._mails.postpone(mail)

    async def _keep_sending(self) -> None:
        while True:
            try:
                while await self.send_next():
                    pass
            except (PyMongoError, TransientError) as error:
                _log.warning("staff-mail-waits", **describe(error))
            except Exception as error:  # noqa: BLE001  (the outermost loop; the mail is due again after its lease)
                _log.error("staff-mail-failed", **describe(error))
            await asyncio.sleep(self._poll_s)

    def _compose(self, mail: StaffMail, address: str) -> OutgoingMail:
        """Return the mail in all languages of the pages, Japanese first; it holds ids, and no name."""
        subject = self._catalogues[0].say(f"staff-mail.{mail.kind}.subject", id=mail.about)
        parts = [
            texts.say(
                f"staff-mail.{mail.kind}.body",
                id=mail.about,
                at=format_moment(mail.at, texts),
                pages=f"{self._office.pages}{texts.prefix}{mail.kind.page}",
            )
            for texts in self._catalogues
        ]
        content = build_message(
            Mail(
                office=self._office.name,
                sender=self._office.address,
                to=address,
                subject=subject,
                body="\n\n――――――――\n\n".join(parts),
                message_id=f"{mail.id}@{self._office.address.rpartition('@')[2]}",
                date=mail.at,
            )
        )
        return OutgoingMail(mail.id, self._office.address, [Recipient(new_token(), address)], content)
