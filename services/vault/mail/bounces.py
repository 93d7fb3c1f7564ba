"""The vault's own SMTP door for delivery reports: a mailbox that was full or gone becomes a code by token.

Reports quote real addresses, so they end here. What leaves is `mail.bounced`: the id of notice or batch out of the
address the report came to (`bounce+<id>@…`, RFC 5321 return path), the token, the status code (`docs/protocols.md`
§3). Whose mailbox it was is found by keyed hash; nobody's identity is opened for it.
"""

import asyncio
import re
import ssl
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.smtp import SMTP, Envelope, Session

from services.vault.mail.rules.delivery_reports import Failure, failures
from shared.contracts import MailBounced
from shared.errors import TransientError
from shared.ids import CampaignId, NoticeId, Token, derived_event_id
from shared.logging import describe, get_logger
from shared.storage import PyMongoError, Store, UnitOfWork

_log = get_logger(__name__)

_LARGEST: Final = 1024 * 1024
_IDLE_S: Final = 60.0
_ID: Final = re.compile(r"bounce\+([A-Za-z0-9][A-Za-z0-9._-]{0,79})")
_LATER: Final = "451 4.3.0 try again later"
_NOTED: Final = "250 2.0.0 OK"


class Holders(Protocol):
    async def holders(self, address: str) -> list[tuple[CampaignId, Token]]:
        """Whose mailbox an address is: campaign and token of each. Families share mailboxes."""


@dataclass(frozen=True)
class BounceOptions:
    """`domain`: the domain of our envelope senders. `tls`: offered as STARTTLS; without it, loopback only."""

    host: str
    port: int
    domain: str
    tls: ssl.SSLContext | None = None


class BounceServer:
    """Listens between `start` and `stop`; the wiring gives it `Identities` as `holders`. It keeps nothing itself."""

    def __init__(self, options: BounceOptions, holders: Holders, store: Store) -> None:
        self._options, self._reports = options, _Reports(options.domain, holders, store)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Raises OSError where the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, self._options.host, self._options.port)

    @property
    def port(self) -> int:
        """The port listened on, also where 0 was asked for. Only after `start`."""
        if self._server is None:
            raise RuntimeError("the door for delivery reports is not open; start it first")
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Open no more; a report under way that gets no answer will be brought again."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _protocol(self) -> SMTP:
        return SMTP(
            self._reports,
            hostname="bounces",
            ident="Kuji delivery reports",
            data_size_limit=_LARGEST,
            enable_SMTPUTF8=True,
            tls_context=self._options.tls,
            timeout=_IDLE_S,
            loop=asyncio.get_running_loop(),
        )


class _Reports:
    """aiosmtpd's handler; the method names are its hooks. Answers repeat nothing of what was said."""

    def __init__(self, domain: str, holders: Holders, store: Store) -> None:
        self._domain, self._holders, self._store = domain.lower(), holders, store

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        local, _, domain = address.rpartition("@")
        if domain.lower() != self._domain or _ID.fullmatch(local) is None:
            return "550 5.1.1 no such recipient"
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        named = _ID.match(envelope.rcpt_tos[0])
        failed = failures(envelope.original_content or b"")
        if named is None or not failed:
            _log.info("mail-without-failure", notice=named[1] if named else None)
            return _NOTED
        notice = NoticeId(named[1])
        bounced = [event for each in failed for event in await self._bounced(notice, each)]
        if not bounced:
            _log.warning("bounce-of-nobody", notice=notice, status=failed[0].status)
            return _NOTED
        await self._store.transact(lambda uow: _say(bounced, uow))
        return _NOTED

    async def handle_exception(self, error: Exception) -> str:
        """Whoever brought the report keeps it and comes again."""
        if not isinstance(error, TransientError | PyMongoError):
            _log.error("report-failed", **describe(error))
        return _LATER

    async def _bounced(self, notice: NoticeId, failure: Failure) -> list[MailBounced]:
        found = {holder for address in failure.addresses for holder in await self._holders.holders(address)}
        return list(_events(notice, failure.status, found))


def _events(notice: NoticeId, status: str, holders: set[tuple[CampaignId, Token]]) -> Iterator[MailBounced]:
    """One for everybody whose mailbox it is; the notifier knows which of them this notice or batch went to."""
    for campaign, token in sorted(holders):
        yield MailBounced(campaign=campaign, notice_id=notice, token=token, status=status)


async def _say(bounced: list[MailBounced], uow: UnitOfWork) -> None:
    """A report brought twice is said with the same event id, which the inbox knows."""
    for event in bounced:
        await uow.emit(event, derived_event_id(event.name, event.campaign, event.notice_id, event.token))
