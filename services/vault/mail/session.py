"""Run one SMTP session to the mail server (MTA): one transaction after the other, every wait bounded."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import aiosmtplib

from services.vault.deliveries.rules.delivery import Outcome
from services.vault.deliveries.rules.states import DeliveryState
from shared.contracts import RecipientRefusal
from shared.errors import TransientError
from shared.ids import Token

Security = Literal["none", "starttls", "tls"]

_GOODBYE_S: Final = 1.0
_FAILURES: Final = (aiosmtplib.SMTPException, OSError, TimeoutError)
_START_INPUT: Final = 354
_CLOSING: Final = 421
_OK: Final = 250
_ACCEPTED: Final = frozenset({250, 251})


class MailServerAwayError(TransientError):
    """Raised when the mail server takes no mail now; nothing of the mail was sent."""


class SessionLostError(MailServerAwayError):
    """Raised when the session ended within a transaction before its text; the recipient may be the reason."""


@dataclass(frozen=True)
class MailServer:
    """Address of the mail server. `security` other than none checks the certificate; loopback may do without."""

    host: str
    port: int
    security: Security = "starttls"
    timeout_s: float = 20.0


@dataclass(frozen=True)
class Recipient:
    """Address of one applicant."""

    token: Token
    address: str = field(repr=False)


@dataclass(frozen=True)
class OutgoingMail:
    """Mail of one delivery. `sender`: bounce address of the notice. `is_bulk`: announcement in BCC."""

    id: str
    sender: str
    recipients: Sequence[Recipient] = field(repr=False)
    content: bytes = field(repr=False)
    is_bulk: bool = False


class SmtpSession:
    """Session that is kept from mail to mail, and opened again when it was lost."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, mail: OutgoingMail) -> Outcome:
        """Send one mail and return the mail server's answer; `unknown` if the answer to the text was lost.

        Raises MailServerAwayError if nothing of it was sent.
        """
        is_fresh = self._client is None
        try:
            return await self._transact(await self._connected(), mail)
        except MailServerAwayError:
            self.drop()
            if is_fresh:
                raise
        # The mail server may close idle sessions; only a new one tells whether it is away.
        try:
            return await self._transact(await self._connected(), mail)
        except MailServerAwayError:
            self.drop()
            raise

    async def close(self) -> None:
        """End the session politely."""
        if self._client is not None and self._client.is_connected:
            with contextlib.suppress(*_FAILURES):
                await self._client.quit(timeout=_GOODBYE_S)
        self.drop()

    def drop(self) -> None:
        """Close the connection at once."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(*_FAILURES):
                client.close()

    async def _transact(self, client: aiosmtplib.SMTP, mail: OutgoingMail) -> Outcome:
        refused = await self._name(client, mail)
        if len(refused) == len(mail.recipients):
            await self._reset(client)
            return _refusal(mail, refused)
        begun = await self._begin_text(client)
        code = await self._send_text(client, mail.content) if begun == _START_INPUT else begun
        return Outcome(DeliveryState.UNKNOWN, None, tuple(refused)) if code is None else _verdict(code, refused)

    async def _name(self, client: aiosmtplib.SMTP, mail: OutgoingMail) -> list[RecipientRefusal]:
        """Begin a transaction and return the recipients that the mail server refused."""
        refused = []
        try:
            if await _reply(client, "MAIL", f"FROM:<{mail.sender}>") != _OK:
                raise MailServerAwayError("the mail server refuses the bounce address; see its log")
            for recipient in mail.recipients:
                code = await _reply(client, "RCPT", f"TO:<{recipient.address}>")
                if code == _CLOSING:
                    raise SessionLostError("the session ended before the text")
                if code not in _ACCEPTED:
                    refused.append(RecipientRefusal(token=recipient.token, code=_reply_code(code)))
        except (*_FAILURES, ValueError):
            raise SessionLostError("the session ended before the text") from None
        return refused

    async def _begin_text(self, client: aiosmtplib.SMTP) -> int:
        try:
            code = (await client.execute_command(b"DATA")).code
        except _FAILURES:
            raise SessionLostError("the session ended before the text") from None
        if code == _CLOSING:
            raise SessionLostError("the session ended before the text")
        return code

    async def _send_text(self, client: aiosmtplib.SMTP, content: bytes) -> int | None:
        """Return the reply code to the text; None if the reply was lost, or is no reply."""
        try:
            protocol = client.protocol
            if protocol is None:
                raise SessionLostError("the session ended before the text")
            protocol.write(content + b".\r\n")
            code = (await protocol.read_response(timeout=self._server.timeout_s)).code
        except _FAILURES:
            self.drop()
            return None
        return code if 200 <= code < 600 else None  # noqa: PLR2004  (RFC 5321)

    async def _reset(self, client: aiosmtplib.SMTP) -> None:
        try:
            await client.rset()
        except _FAILURES:
            self.drop()

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None:
            return self._client
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout_s,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            local_hostname="localhost",
        )
        try:
            await client.connect()
            await client.ehlo()
        except _FAILURES:
            raise MailServerAwayError("the mail server does not answer") from None
        self._client = client
        return client


async def _reply(client: aiosmtplib.SMTP, *words: str) -> int:
    """Send a command and return the reply code. The library's own methods parse each address anew, at 0.3 ms a mail."""
    return (await client.execute_command(*(word.encode("ascii") for word in words))).code


def _verdict(code: int, refused: Sequence[RecipientRefusal]) -> Outcome:
    state = {2: DeliveryState.SENT, 5: DeliveryState.REFUSED}.get(code // 100, DeliveryState.LATER)
    return Outcome(state, _reply_code(code), tuple(refused))


def _refusal(mail: OutgoingMail, refused: Sequence[RecipientRefusal]) -> Outcome:
    """Return the outcome if no recipient was accepted: later if any of them may be accepted later."""
    codes = [refusal.code for refusal in refused]
    code = next((code for code in codes if code < 500), codes[0])  # noqa: PLR2004  (RFC 5321)
    return replace(_verdict(code, refused), refused=tuple(refused) if mail.is_bulk else ())


def _reply_code(code: int) -> int:
    """Return the code; one outside RFC 5321 counts as temporary."""
    return code if 200 <= code < 600 else 451  # noqa: PLR2004
