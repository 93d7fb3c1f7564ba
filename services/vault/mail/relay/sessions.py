"""Serve one client's SMTP session: replace tokens by addresses, and return the mail server's answers at once.

The method names are aiosmtpd's hooks. State of a session lives in `Conversation`, one per connection.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.vault.identities.reveal import PurposeNotAllowedError
from services.vault.mail.relay.messages import RefusedMessageError, rewrite
from services.vault.mail.relay.recipient import Recipient
from services.vault.mail.relay.recipients import Recipients
from services.vault.mail.relay.upstream import Mta, MtaUnavailableError, Upstream, VerdictUnknownError
from services.vault.mail.rules.bounce_address import BounceAddresses
from shared.clock import Clock
from shared.errors import TransientError
from shared.ids import Token, is_token
from shared.logging import get_logger
from shared.storage import PyMongoError

_log = get_logger(__name__)

_SENDER = re.compile(r"bounce\+(n-[0-9a-f]{20})@")
_UNKNOWN = "550 5.1.1 no such recipient"
_NOT_ALLOWED = "550 5.7.1 not for this recipient"
_AWAY = "451 4.4.1 try again later"
_LEAVING = "421 4.3.2 closing; come back later"
_OK = 250


@dataclass
class Conversation:
    """Where a client's session stands. `taken`: whom the mail server accepted for the message under way."""

    upstream: Upstream
    envelope_id: str = ""
    taken: list[Recipient] = field(default_factory=list)

    async def begin(self, envelope_id: str) -> None:
        await self.upstream.reset()
        self.envelope_id, self.taken = envelope_id, []


class RelaySessions:
    def __init__(
        self, recipients: Recipients, mta: Mta, clock: Clock, *, domain: str, bounces: BounceAddresses
    ) -> None:
        self._recipients, self._mta, self._clock = recipients, mta, clock
        self._domain, self._bounces = domain, bounces
        self._conversations: dict[int, Conversation] = {}
        self._verdicts_awaited = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._leaving = False

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._leaving:
            return _LEAVING
        sender = _SENDER.match(address)
        if sender is None:
            return "550 5.7.1 the sender must be bounce+<notice id>"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        await self._of(session).begin(sender[1])
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        conversation = self._of(session)
        token, _, domain = address.rpartition("@")
        if domain.lower() != self._domain or not is_token(token):
            return _UNKNOWN
        if conversation.taken and len(conversation.taken) >= conversation.taken[0].campaign.bcc_batch:
            return "452 4.5.3 too many recipients for one message"
        reply = await self._take(conversation, Token(token), _account(session))
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def _take(self, conversation: Conversation, token: Token, account: str) -> str:
        try:
            recipient = await self._recipients.find(token, actor=account, case=conversation.envelope_id)
            refusal = _refusal(recipient, conversation.taken)
            if recipient is None or recipient.address is None or refusal is not None:
                return refusal or _UNKNOWN
            sender = self._bounces.format(conversation.envelope_id)
            if sender is None:
                return _NOT_ALLOWED
            answer = await conversation.upstream.rcpt(sender, recipient.address)
        except PurposeNotAllowedError:
            return _NOT_ALLOWED
        except (TransientError, PyMongoError, MtaUnavailableError):
            return _AWAY
        if answer.code == _OK:
            conversation.taken.append(recipient)
        return answer.line

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        conversation = self._of(session)
        self._verdicts_awaited += 1
        self._quiet.clear()
        try:
            return await self._verdict(conversation, envelope.original_content or b"")
        except VerdictUnknownError:
            # Any answer would be a lie: the sender must see that the reply was lost, and never send again blindly.
            _log.warning("verdict-unknown", notice=conversation.envelope_id)
            if isinstance(server.transport, asyncio.WriteTransport):
                server.transport.abort()
            return _AWAY
        finally:
            conversation.taken = []
            self._verdicts_awaited -= 1
            if self._verdicts_awaited == 0:
                self._quiet.set()

    async def _verdict(self, conversation: Conversation, content: bytes) -> str:
        try:
            out = rewrite(
                content,
                conversation.taken,
                envelope_id=conversation.envelope_id,
                domain=self._bounces.domain,
                clock=self._clock,
            )
            return (await conversation.upstream.data(out)).line
        except RefusedMessageError as refusal:
            await conversation.upstream.reset()
            return refusal.reply
        except MtaUnavailableError:
            return _AWAY

    async def leave(self, timeout_s: float) -> None:
        """Refuse new messages, and wait for the verdicts under way. Raises TimeoutError."""
        self._leaving = True
        async with asyncio.timeout(timeout_s):
            await self._quiet.wait()

    async def handle_RSET(self, _server: SMTP, session: Session, _envelope: Envelope) -> str:  # noqa: N802
        await self._of(session).begin("")
        return "250 2.0.0 OK"

    async def handle_exception(self, error: Exception) -> str:
        _log.error("relay-failed", error=type(error).__name__)
        return _AWAY

    async def ended(self, session: Session | None) -> None:
        """Close the session to the mail server after the client has disconnected."""
        conversation = self._conversations.pop(id(session), None)
        if conversation is not None:
            await conversation.upstream.close()

    def _of(self, session: Session) -> Conversation:
        key = id(session)
        if key not in self._conversations:
            self._conversations[key] = Conversation(Upstream(self._mta))
        return self._conversations[key]


def _refusal(recipient: Recipient | None, taken: Sequence[Recipient]) -> str | None:
    """Why this person cannot be a recipient of this message; None where nothing speaks against it."""
    if recipient is None or recipient.address is None:
        return _UNKNOWN
    if any(other.campaign.id != recipient.campaign.id for other in taken):
        return _NOT_ALLOWED
    if any(other.token == recipient.token for other in taken):
        return "550 5.5.0 recipient given twice"
    return None


def _account(session: Session) -> str:
    data: Any = session.auth_data
    return data.login.decode("ascii", "replace") if data is not None else "unknown"
