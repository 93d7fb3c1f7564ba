"""The session to the mail server (MTA) on behalf of one client, command by command, every wait bounded."""

import contextlib
from dataclasses import dataclass
from typing import Literal

import aiosmtplib

Security = Literal["none", "starttls", "tls"]


@dataclass(frozen=True)
class Mta:
    """Where mail goes. `security` other than none checks the certificate; loopback may do without."""

    host: str
    port: int
    security: Security = "starttls"
    timeout_s: float = 20.0


class MtaAway(Exception):  # noqa: N818  (says what is the case)
    """The mail server does not answer; nothing was taken."""


class VerdictUnknown(Exception):  # noqa: N818  (says what is the case)
    """The connection was lost after the message had gone out: the mail server may or may not have taken it."""


class Upstream:
    """Opened at the first recipient and kept for the client's next messages."""

    def __init__(self, mta: Mta) -> None:
        self._mta = mta
        self._client: aiosmtplib.SMTP | None = None
        self._in_transaction = False

    async def rcpt(self, sender: str, address: str) -> int:
        """The mail server's reply code to this recipient, beginning the transaction where needed. Raises MtaAway."""
        try:
            client = await self._connected()
            if not self._in_transaction:
                await client.mail(sender, encoding="utf-8", options=self._options(client, address))
                self._in_transaction = True
            return (await client.rcpt(address, encoding="utf-8")).code
        except aiosmtplib.SMTPRecipientRefused as refusal:
            return refusal.code
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            await self.close()
            raise MtaAway from None

    async def data(self, content: bytes) -> int:
        """The one verdict for all recipients. Raises VerdictUnknown where none came."""
        self._in_transaction = False
        if self._client is None:
            raise VerdictUnknown
        try:
            return (await self._client.data(content)).code
        except aiosmtplib.SMTPResponseException as refusal:
            return refusal.code
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            await self.close()
            raise VerdictUnknown from None

    async def reset(self) -> None:
        """Forget the transaction under way, if there is one."""
        if self._in_transaction and self._client is not None:
            self._in_transaction = False
            try:
                await self._client.rset()
            except (aiosmtplib.SMTPException, OSError, TimeoutError):
                await self.close()

    async def close(self) -> None:
        client, self._client, self._in_transaction = self._client, None, False
        if client is not None:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                client.close()

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is None or not self._client.is_connected:
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
            self._client, self._in_transaction = client, False
        return self._client

    def _options(self, client: aiosmtplib.SMTP, address: str) -> list[str]:
        return ["SMTPUTF8"] if not address.isascii() and client.supports_extension("smtputf8") else []
