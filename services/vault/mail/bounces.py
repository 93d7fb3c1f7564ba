"""Receive delivery reports by SMTP: a mailbox that was full or gone becomes a code by token.

Reports quote real addresses, so they end here. What leaves is `mail.bounced`: the id of notice or batch out of the
address the report came to (`bounce+<id>@…`, RFC 5321 return path), the token, the status code (`docs/protocols.md`
§3). The mailbox is found by keyed hash; no identity is opened for it.
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
        """Return campaign and token of each applicant with this mailbox. Families share mailboxes."""


@dataclass(frozen=True)
class BounceOptions:
    """`domain`: the domain of our envelope senders. `tls`: offered as STARTTLS; without it, loopback only."""

    host: str
    port: int
    domain: str
    tls: ssl.SSLContext | None = None


class BounceServer:
    """Listen between `start` and `stop`. The wiring passes `Identities` as `holders`; nothing is stored here."""

    def __init__(self, options: BounceOptions, holders: Holders, store: Store) -> None:
        self._options, self._reports = options, _Reports(options.domain, holders, store)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen. Raises OSError if the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, self._options.host, self._options.port)

    @property
    def port(self) -> int:
        """Port of the listener, also if 0 was asked for. Only after `start`."""
        if self._server is None:
            raise RuntimeError("the server for delivery reports does not listen; start it first")
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening; a report that gets no answer is sent again by its server."""
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
    """Handler for aiosmtpd, which gives the names of the methods. Answers repeat nothing of the report."""

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
            _log.warning("bounce-without-holder", notice=notice, status=failed[0].status)
            return _NOTED
        await self._store.transact(lambda uow: _publish(bounced, uow))
        return _NOTED

    async def handle_exception(self, error: Exception) -> str:
        """Answer with a temporary error, so that the sender keeps the report and sends it again."""
        if not isinstance(error, TransientError | PyMongoError):
            _log.error("report-failed", **describe(error))
        return _LATER

    async def _bounced(self, notice: NoticeId, failure: Failure) -> list[MailBounced]:
        found = {holder for address in failure.addresses for holder in await self._holders.holders(address)}
        return list(_events(notice, failure.status, found))


def _events(notice: NoticeId, status: str, holders: set[tuple[CampaignId, Token]]) -> Iterator[MailBounced]:
    """Yield one event for each holder of the mailbox; the notifier knows which of them got this notice or batch."""
    for campaign, token in sorted(holders):
        yield MailBounced(campaign=campaign, notice_id=notice, token=token, status=status)


async def _publish(bounced: list[MailBounced], uow: UnitOfWork) -> None:
    """Publish the events. A repeated report has the same event ids, which the inbox drops."""
    for event in bounced:
        await uow.emit(event, derived_event_id(event.name, event.campaign, event.notice_id, event.token))
