"""Listen for the relay's clients: STARTTLS required, one account per service, nothing stored."""

import asyncio
import contextlib
import hmac
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from services.vault.mail.relay.recipients import Recipients
from services.vault.mail.relay.sessions import RelaySessions
from services.vault.mail.relay.upstream import Mta
from services.vault.mail.rules.bounce_address import BounceAddresses
from shared.clock import Clock
from shared.errors import ConfigurationError

_LARGEST = 1024 * 1024
_IDLE_S = 120.0
_VERDICT_S = 10.0
_HANG_UP_S = 2.0


@dataclass(frozen=True)
class RelayOptions:
    """`accounts`: service → password. `domain`: of the token addresses; `bounces`: the envelope senders."""

    host: str
    port: int
    cert_file: Path
    key_file: Path
    domain: str
    bounces: BounceAddresses
    mta: Mta
    accounts: Mapping[str, str] = field(repr=False)


class MailRelay:
    """`start` listens; `stop` lets messages under way finish and hangs up."""

    def __init__(self, options: RelayOptions, recipients: Recipients, clock: Clock) -> None:
        self._options = options
        self._sessions = RelaySessions(recipients, options.mta, clock, domain=options.domain, bounces=options.bounces)
        self._server: asyncio.Server | None = None
        self._open: set[_RelaySMTP] = set()
        self._tls = tls_context(options.cert_file, options.key_file)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, self._options.host, self._options.port)

    @property
    def port(self) -> int:
        """Port of the listener, also if 0 was asked for."""
        assert self._server is not None  # noqa: S101  (asked after start)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop, after messages under way have their verdict: a lost verdict is work for a person."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        with contextlib.suppress(TimeoutError):
            await self._sessions.leave(_VERDICT_S)
        hanging_up = [connection.hang_up() for connection in self._open]
        if hanging_up:
            await asyncio.wait([asyncio.ensure_future(each) for each in hanging_up], timeout=_HANG_UP_S)

    def _protocol(self) -> SMTP:
        return _RelaySMTP(
            self._open,
            self._sessions,
            hostname="relay",
            ident="Kuji relay",
            data_size_limit=_LARGEST,
            enable_SMTPUTF8=True,
            tls_context=self._tls,
            require_starttls=True,
            auth_required=True,
            auth_require_tls=True,
            authenticator=self._authenticate,
            timeout=_IDLE_S,
            loop=asyncio.get_running_loop(),
        )

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        if isinstance(data, LoginPassword):
            expected = self._options.accounts.get(data.login.decode("ascii", "replace"))
            if expected and hmac.compare_digest(expected.encode(), data.password):
                return AuthResult(success=True, auth_data=data)
        return AuthResult(success=False, handled=False)


class _RelaySMTP(SMTP):
    """SMTP connection that lists itself while it is open, and closes its session when the client has gone."""

    def __init__(self, connections: set["_RelaySMTP"], sessions: RelaySessions, **options: Any) -> None:
        self._connections, self._sessions = connections, sessions
        self._gone = asyncio.Event()
        super().__init__(sessions, **options)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        session = self.session
        super().connection_lost(error)
        self._connections.discard(self)
        self._going = self.loop.create_task(self._go(session))

    async def _go(self, session: Session | None) -> None:
        await self._sessions.ended(session)
        self._gone.set()

    async def hang_up(self) -> None:
        if self.transport is not None:
            self.transport.close()
        await self._gone.wait()


def tls_context(cert_file: Path, key_file: Path) -> ssl.SSLContext:
    """Return the TLS context of a mail server of the vault. Raises ConfigurationError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert_file, key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"the relay's certificate cannot be used ({type(error).__name__}); "
            "see KUJI_RELAY_CERT_FILE and KUJI_RELAY_KEY_FILE"
        ) from None
    return context
