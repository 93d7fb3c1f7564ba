"""A mail server for tests: it stores mails as they arrive, and fails on demand, by the local part of a recipient.

`reject-5xx` 550 and `defer-4xx` 451 (with the address in the text, as real servers do), `full-552` 552,
`busy-twice` 451 twice and then 250, `hangup` drops the connection at RCPT, `closing-421` answers 421, `mute` drops
it after it has taken the text, `spam-554` refuses the text, `busy-452` defers it, `slow` answers it after a second.
"""

import asyncio
import email
import warnings
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from typing import Self

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.smtp import SMTP, Envelope, Session

SLOW_S = 1.0
BUSY_TIMES = 2

RCPT_ANSWERS = {
    "reject-5xx": "550 5.1.1 <{address}> no such mailbox here",
    "defer-4xx": "451 4.2.1 <{address}> mailbox busy, come back later",
    "full-552": "552 {address} is full",
    "closing-421": "421 4.3.2 closing",
}
DATA_ANSWERS = {"spam-554": "554 5.7.1 {address} does not want this", "busy-452": "452 4.3.1 no space for {address}"}


@dataclass(frozen=True)
class ReceivedMail:
    """Mail as it was received: envelope and exact bytes."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        """Parsed mail."""
        return email.message_from_bytes(self.content, _class=EmailMessage, policy=policy.default)

    def all_text(self) -> str:
        """Return each header, each decoded part and the raw bytes: the places where a leak would show."""
        parts = list(self.message.walk())
        headers = [f"{name}: {value}" for part in parts for name, value in part.items()]
        texts = [str(part.get_content()) for part in parts if part.get_content_maintype() == "text"]
        return "\n".join([*headers, *texts, self.content.decode("utf-8", "replace")])


@dataclass
class MailServer:
    """Mail server that runs inside `async with`. `port`: its port; `mails`: mails received; `connections`: sessions."""

    mails: list[ReceivedMail] = field(default_factory=list)
    connections: int = 0
    refusals: int = 0
    deferred: int = 0

    async def __aenter__(self) -> Self:
        await self.open(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self, port: int) -> None:
        """Listen on this port; 0 takes a free one."""
        loop = asyncio.get_running_loop()
        self._protocols: list[SMTP] = []
        self._server = await loop.create_server(self._accept, "127.0.0.1", port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and drop all connections."""
        self._server.close()
        self.drop_connections()
        await asyncio.sleep(0.01)  # the event loop closes dropped connections in its next rounds

    def drop_connections(self) -> None:
        """Drop all connections, as a mail server does with idle ones."""
        for protocol in self._protocols:
            if protocol.transport is not None:
                protocol.transport.abort()
        self._protocols.clear()

    def _accept(self) -> SMTP:
        self.connections += 1
        loop = asyncio.get_running_loop()
        protocol = SMTP(self, hostname="mx.example", enable_SMTPUTF8=True, loop=loop, ident="test")
        self._protocols.append(protocol)
        return protocol

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        for mark, answer in RCPT_ANSWERS.items():
            if mark in address:
                self.refusals += 1
                return answer.format(address=address)
        if "busy-twice" in address and self.deferred < BUSY_TIMES:
            self.deferred, self.refusals = self.deferred + 1, self.refusals + 1
            return f"451 4.2.1 <{address}> come back later"
        if "hangup" in address:
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        addresses = " ".join(envelope.rcpt_tos)
        for mark, answer in DATA_ANSWERS.items():
            if mark in addresses:
                return answer.format(address=envelope.rcpt_tos[0])
        if "slow" in addresses:
            await asyncio.sleep(SLOW_S)
        self.mails.append(
            ReceivedMail(envelope.mail_from or "", tuple(envelope.rcpt_tos), envelope.original_content or b"")
        )
        if "mute" in addresses:
            server.transport.abort()
        return "250 2.0.0 stored"
