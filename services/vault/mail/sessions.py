"""Pool of sessions to the mail server, shared by the bundles of one process."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.vault.deliveries.rules.delivery import Outcome
from services.vault.mail.session import MailServer, MailServerAwayError, OutgoingMail, SessionLostError, SmtpSession


@dataclass
class SentMails:
    """Outcomes by id. `lost`: ids of mails whose session ended before the text; other absent ones were not begun."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)


class SessionPool:
    """At most `size` sessions. `is_away`: the last attempt found the mail server away."""

    def __init__(self, server: MailServer, size: int) -> None:
        self._idle = deque(SmtpSession(server) for _ in range(size))
        self._free = asyncio.Semaphore(size)
        self._size = size
        self.is_away = False
        self.stopping = False

    async def send_all(self, mails: Sequence[OutgoingMail]) -> SentMails:
        """Send the mails over free sessions and return their outcomes.

        After the mail server was found away, or the pool stops, no further mail is begun.
        """
        sent, pending = SentMails(), iter(mails)
        tasks = [self._run(pending, sent) for _ in range(min(self._size, len(mails)))]
        await asyncio.gather(*tasks)
        return sent

    async def close(self) -> None:
        """End all sessions that are idle."""
        await asyncio.gather(*(session.close() for session in self._idle))

    async def _run(self, pending: Iterator[OutgoingMail], sent: SentMails) -> None:
        async with self._free:
            session = self._idle.pop()
            try:
                await self._send_pending(session, pending, sent)
            except asyncio.CancelledError:
                session.drop()
                raise
            finally:
                self._idle.append(session)

    async def _send_pending(self, session: SmtpSession, pending: Iterator[OutgoingMail], sent: SentMails) -> None:
        for mail in pending:
            if self.stopping:
                return
            try:
                sent.outcomes[mail.id] = await session.send(mail)
            except SessionLostError:
                sent.lost.add(mail.id)
                return
            except MailServerAwayError:
                self.is_away = True
                return
            self.is_away = False
