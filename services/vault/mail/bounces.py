"""Receive delivery reports by SMTP from the mail server, and publish which notice came back.

Reports quote real addresses, so they end here and are not looked up. The bounce address of the envelope names the
notice (`rules/bounce_address.py`), so answer and timing do not depend on who applied. What leaves is `mail.bounced`:
notice id, verdict and status code (`docs/protocols.md` §3). For an announcement, which has many recipients, the report
is searched for the addresses of this batch only.
"""

import asyncio
import ssl
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.smtp import SMTP, Envelope, Session

from services.vault.deliveries.repository import DeliveryRepository
from services.vault.mail.bounce_listener import Network, ReportSMTP
from services.vault.mail.rules.batch_reports import named_recipients
from services.vault.mail.rules.bounce_address import BounceAddresses
from services.vault.mail.rules.delivery_reports import read_report
from services.vault.mail.rules.reading import Reading
from shared.contracts import MailBounced
from shared.errors import TransientError
from shared.ids import CampaignId, EventId, NoticeId, Token, derived_event_id
from shared.logging import describe, get_logger
from shared.storage import PyMongoError, Store, UnitOfWork
from shared.web.refusals import RefusalLog

_log = get_logger(__name__)

FindBatch: TypeAlias = Callable[[NoticeId], Awaitable[Mapping[str, Token]]]
"""Returns the recipients of an announcement by mail address; nothing for a notice to one applicant.

It is asked for each report, whatever the report says, so that the time of the answer tells nothing.
"""

_LATER: Final = "451 4.3.0 try again later"
_NOTED: Final = "250 2.0.0 OK"


@dataclass(frozen=True)
class BounceOptions:
    """`clients`: networks of the mail server. `tls`: offered as STARTTLS; without it, loopback only.

    `needs_tls`: reports before STARTTLS are refused with 530 (RFC 3207, section 4).
    """

    host: str
    port: int
    addresses: BounceAddresses
    clients: Sequence[Network]
    tls: ssl.SSLContext | None = None
    needs_tls: bool = False


async def _no_batch(_notice: NoticeId) -> Mapping[str, Token]:
    return {}


class BounceServer:
    """Listen between `start` and `stop`. `campaigns` returns those that are not erased; nothing is stored here."""

    def __init__(
        self,
        options: BounceOptions,
        campaigns: Callable[[], Sequence[CampaignId]],
        store: Store,
        find_batch: FindBatch = _no_batch,
    ) -> None:
        self._options, self._reports = options, _Reports(options, campaigns, store, find_batch)
        self._server: asyncio.Server | None = None
        self._refusals, self._open = RefusalLog(), set[SMTP]()

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
        return ReportSMTP(
            self._reports, clients=self._options.clients, connections=self._open, refusals=self._refusals,
            tls_context=self._options.tls, require_starttls=self._options.needs_tls, loop=asyncio.get_running_loop(),
        )  # fmt: skip


class _Reports:
    """Handler for aiosmtpd, which gives the names of the methods. Answers repeat nothing of the report."""

    def __init__(
        self,
        options: BounceOptions,
        campaigns: Callable[[], Sequence[CampaignId]],
        store: Store,
        find_batch: FindBatch,
    ) -> None:
        self._options, self._campaigns, self._store, self._find_batch = options, campaigns, store, find_batch
        self._deliveries = DeliveryRepository(store)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self._options.addresses.parse(address) is None:
            return "550 5.1.1 no such recipient"
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        notice = self._options.addresses.parse(envelope.rcpt_tos[0])
        if notice is None:
            return "550 5.1.1 no such recipient"
        batch = await self._find_batch(notice)
        reading, tokens = await asyncio.to_thread(_read, envelope.original_content or b"", envelope.mail_from, batch)
        _log.info("report-read", notice=notice, verdict=reading.verdict, status=reading.status, count=len(tokens))
        events = _events(self._campaigns(), notice, reading, tokens)
        if events:
            await self._store.transact(lambda uow: self._publish(events, uow))
        return _NOTED

    async def _publish(self, bounced: Sequence[MailBounced], uow: UnitOfWork) -> None:
        """Publish the events. A repeated report has the same event ids, which the inbox drops."""
        for event in bounced:
            await uow.emit(event, _event_id(event))
        for notice in {event.notice_id for event in bounced if event.verdict == "bounced" and event.token is None}:
            await self._deliveries.mark_bounced(uow, notice)

    async def handle_exception(self, error: Exception) -> str:
        """Answer with a temporary error, so that the sender keeps the report and sends it again."""
        if not isinstance(error, TransientError | PyMongoError):
            _log.error("report-failed", **describe(error))
        return _LATER


def _read(content: bytes, sender: str | None, batch: Mapping[str, Token]) -> tuple[Reading, list[Token]]:
    """Return the verdict, and the recipients of a batch whom it concerns.

    A failure that names no recipient of its batch is unclear: it stands for one of them, and a person must look which.
    """
    reading = read_report(content, sender)
    if not batch or reading.verdict == "silent":
        return reading, []
    tokens = [batch[address] for address in sorted(named_recipients(content, batch))]
    return (reading if tokens else Reading("unclear", reading.status)), tokens


def _events(
    campaigns: Sequence[CampaignId], notice: NoticeId, reading: Reading, tokens: Sequence[Token]
) -> list[MailBounced]:
    """Return one event for each campaign: the vault does not know the notice's; the notifier finds it by both ids.

    With tokens, each recipient of the batch gets an event of its own.
    """
    if reading.verdict == "silent":
        return []
    recipients: Sequence[Token | None] = tokens or [None]
    return [
        MailBounced(campaign=campaign, notice_id=notice, token=token, status=reading.status, verdict=reading.verdict)
        for campaign in campaigns
        for token in recipients
    ]


def _event_id(event: MailBounced) -> EventId:
    names = [event.campaign, event.notice_id, event.verdict, *([] if event.token is None else [event.token])]
    return derived_event_id(event.name, *names)
