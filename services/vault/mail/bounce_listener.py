"""SMTP of the listener for delivery reports: the mail server alone is served, within limits; refusals are logged."""

import warnings
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, AnyStr, Final, TypeAlias

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.smtp import SMTP, Session

from shared.web.refusals import RefusalLog

Network: TypeAlias = IPv4Network | IPv6Network

_LARGEST: Final = 16 * 1024 * 1024
_IDLE_S: Final = 60.0

_MOST_CONNECTIONS: Final = 50
"""Connections of the mail server at a time. Strangers are sent away before they count."""

_MOST_COMMANDS: Final = {"*": 20, "MAIL": 10_000, "RCPT": 10_000, "DATA": 10_000, "RSET": 10_000}
"""Commands of one kind in a connection; the mail server sends many reports in one."""

_LISTENER: Final = "bounces"
"""Name of this listener in lines about refusals."""


class ReportSMTP(SMTP):
    """SMTP for the mail server alone. It has no limit of its own for lines: reports quote lines of any length."""

    line_length_limit = _LARGEST

    def __init__(
        self,
        reports: object,
        *,
        clients: Sequence[Network],
        connections: set[SMTP],
        refusals: RefusalLog,
        **more: Any,
    ) -> None:
        self._clients, self._connections, self._refusals = clients, connections, refusals
        super().__init__(
            reports,
            hostname="bounces",
            ident="Kuji delivery reports",
            data_size_limit=_LARGEST,
            enable_SMTPUTF8=True,
            timeout=_IDLE_S,
            command_call_limit=_MOST_COMMANDS,
            **more,
        )

    async def push(self, status: AnyStr) -> None:
        """Answer; every answer that refuses something leaves a line in the log."""
        code = status[:3].decode() if isinstance(status, bytes) else status[:3]
        if code[:1] in {"4", "5"}:
            self._refusals.note(_LISTENER, _LISTENER, int(code))
        await super().push(status)

    async def _handle_client(self) -> None:
        """Serve the mail server, within the limit; send others away before they say anything."""
        if self.session is None or not _is_allowed(self.session, self._clients):
            await self._send_away("554 5.7.1 only the mail server may deliver here")
        elif len(self._connections) >= _MOST_CONNECTIONS:
            await self._send_away("421 4.7.0 too many connections; try again later")
        else:
            self._connections.add(self)
            try:
                await super()._handle_client()
            finally:
                self._connections.discard(self)

    async def _send_away(self, answer: str) -> None:
        await self.push(answer)
        if self.transport is not None:
            self.transport.close()


def _is_allowed(session: Session, clients: Sequence[Network]) -> bool:
    peer: object = session.peer
    host = peer[0] if isinstance(peer, tuple) else ""
    try:
        address = ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return any(address in network for network in clients)
