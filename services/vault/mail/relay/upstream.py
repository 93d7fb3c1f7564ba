"""Run one SMTP session to the mail server (MTA) for a client, command by command; all waits are bounded."""

import contextlib
import re
from dataclasses import dataclass
from typing import Final, Literal

import aiosmtplib

Security = Literal["none", "starttls", "tls"]
Transaction = Literal["none", "open", "lost"]

_STATUS: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?!\d)")
_WORDS: Final = {2: "OK", 4: "the mail server says: later", 5: "the mail server says: no"}
_GOODBYE_S: Final = 1.0
_FAILURES: Final = (aiosmtplib.SMTPException, OSError, TimeoutError)


@dataclass(frozen=True)
class Mta:
    """Where mail goes. `security` other than none checks the certificate; loopback may do without."""

    host: str
    port: int
    security: Security = "starttls"
    timeout_s: float = 20.0


@dataclass(frozen=True)
class Answer:
    """Reply code and status (RFC 3463) without its words, which may repeat the address."""

    code: int
    status: str

    @classmethod
    def of(cls, code: int, message: str) -> "Answer":
        status = _STATUS.match(message)
        kind = code // 100 if code // 100 in _WORDS else 4
        return cls(code, status[1] if status and status[1].startswith(str(kind)) else f"{kind}.0.0")

    @property
    def line(self) -> str:
        return f"{self.code} {self.status} {_WORDS.get(self.code // 100, 'try again later')}"


class MtaUnavailableError(Exception):
    """Raised when the mail server does not answer; it took nothing."""


class VerdictUnknownError(Exception):
    """Raised when the connection was lost after the message was sent: the mail server may have taken it or not."""


class Upstream:
    """Opened at the first recipient and kept for the client's next messages.

    A transaction whose session was lost stays lost until `reset`: its recipients were forgotten with the session, so
    no later one may be named, and no text sent, as if they were still there.
    """

    def __init__(self, mta: Mta) -> None:
        self._mta = mta
        self._client: aiosmtplib.SMTP | None = None
        self._transaction: Transaction = "none"

    async def rcpt(self, sender: str, address: str) -> Answer:
        """Name a recipient to the mail server and return its answer; begin the transaction if none is open.

        Raises MtaUnavailableError.
        """
        if self._transaction == "lost":
            raise MtaUnavailableError
        try:
            client = await self._begun(sender, address)
            code, message = await client.rcpt(address, encoding="utf-8")
        except aiosmtplib.SMTPRecipientRefused as refusal:
            code, message = refusal.code, refusal.message
        except _FAILURES:
            self._drop("lost")
            raise MtaUnavailableError from None
        if self._client is None or not self._client.is_connected:
            self._drop("lost")
            raise MtaUnavailableError
        return Answer.of(code, message)

    async def data(self, content: bytes) -> Answer:
        """Send the message and return the one verdict for all recipients.

        Raises VerdictUnknownError if the answer was lost, MtaUnavailableError if nothing was sent.
        """
        if self._client is None or self._transaction != "open":
            raise MtaUnavailableError
        self._transaction = "none"
        try:
            code, message = await self._client.data(content)
        except aiosmtplib.SMTPResponseException as refusal:
            code, message = refusal.code, refusal.message
        except _FAILURES:
            self._drop("none")
            raise VerdictUnknownError from None
        return Answer.of(code, message)

    async def reset(self) -> None:
        """Forget the transaction under way, if there is one."""
        if self._transaction == "open" and self._client is not None:
            try:
                await self._client.rset()
            except _FAILURES:
                self._drop("none")
        self._transaction = "none"

    async def close(self) -> None:
        """Hang up; with a goodbye where nothing is under way."""
        if self._client is not None and self._client.is_connected and self._transaction == "none":
            with contextlib.suppress(*_FAILURES):
                await self._client.quit(timeout=_GOODBYE_S)
        self._drop("none")

    def _drop(self, transaction: Transaction) -> None:
        client, self._client, self._transaction = self._client, None, transaction
        if client is not None:
            with contextlib.suppress(*_FAILURES):
                client.close()

    async def _begun(self, sender: str, address: str) -> aiosmtplib.SMTP:
        """Return a client in an open transaction; connect again if the earlier session was closed meanwhile."""
        if self._client is not None and self._transaction == "open":
            return self._client
        kept = self._client
        if kept is not None:
            try:
                return await self._mail(kept, sender, address)
            except (aiosmtplib.SMTPServerDisconnected, ConnectionError):
                kept.close()
        self._client = await self._connect()
        return await self._mail(self._client, sender, address)

    async def _mail(self, client: aiosmtplib.SMTP, sender: str, address: str) -> aiosmtplib.SMTP:
        utf8 = not address.isascii() and client.supports_extension("smtputf8")
        await client.mail(sender, encoding="utf-8", options=["SMTPUTF8"] if utf8 else [])
        self._transaction = "open"
        return client

    async def _connect(self) -> aiosmtplib.SMTP:
        mta = self._mta
        client = aiosmtplib.SMTP(
            hostname=mta.host,
            port=mta.port,
            timeout=mta.timeout_s,
            use_tls=mta.security == "tls",
            start_tls=mta.security == "starttls",
            local_hostname="localhost",
        )
        await client.connect()
        return client
