"""The relay's listening side: STARTTLS required, one account per service, nothing stored."""

import asyncio
import hmac
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from services.vault.relay.recipients import Recipients
from services.vault.relay.sessions import RelaySessions
from services.vault.relay.upstream import Mta
from shared.clock import Clock
from shared.errors import ConfigurationError

_LARGEST = 1024 * 1024
_IDLE_S = 120.0


@dataclass(frozen=True)
class RelayOptions:
    """`accounts`: service → password. `domain`: of the token addresses; `bounce_domain`: where delivery reports go."""

    host: str
    port: int
    cert_file: Path
    key_file: Path
    domain: str
    bounce_domain: str
    mta: Mta
    accounts: Mapping[str, str] = field(repr=False)


class MailRelay:
    """`start` listens; `stop` lets messages under way finish and hangs up."""

    def __init__(self, options: RelayOptions, recipients: Recipients, clock: Clock) -> None:
        self._options = options
        self._sessions = RelaySessions(
            recipients, options.mta, clock, domain=options.domain, bounce_domain=options.bounce_domain
        )
        self._server: asyncio.Server | None = None
        self._tls = _tls_context(options)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, self._options.host, self._options.port)

    @property
    def port(self) -> int:
        """The port listened on, also where 0 was asked for."""
        assert self._server is not None  # noqa: S101  (asked after start)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _protocol(self) -> SMTP:
        return _RelaySMTP(
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
    """Says when its client has gone."""

    def connection_lost(self, error: Exception | None) -> None:
        session = self.session
        super().connection_lost(error)
        self._closing = self.loop.create_task(self.event_handler.ended(session))


def _tls_context(options: RelayOptions) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(options.cert_file, options.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"the relay's certificate cannot be used ({type(error).__name__}); "
            "see KUJI_RELAY_CERT_FILE and KUJI_RELAY_KEY_FILE"
        ) from None
    return context
