"""Send mails through the vault's mail relay, command by command, one recipient in each transaction (R-S4).

A notice is durably marked before the text is sent; an answer that is lost after that makes it
`unknown`.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiosmtplib

from services.notifier.mail.claims import Claim, Claims
from services.notifier.repository import ClaimLostError, NoticeRepository
from services.notifier.rules.notice import Notice
from services.notifier.rules.replies import next_attempt_at, state_after_refusal
from services.notifier.rules.states import NoticeState
from services.notifier.wall_clock import wall_now
from shared.errors import TransientError
from shared.logging import get_logger
from shared.storage import PyMongoError

_log = get_logger(__name__)

_OK: Final = 250
_CONNECTION_ERRORS: Final = (aiosmtplib.SMTPException, OSError, TimeoutError)


class RelayUnavailableError(TransientError):
    """Raised when the relay does not answer or refuses the account; nothing was sent."""


@dataclass(frozen=True)
class RelayAccount:
    """Address of the vault's mail relay and the notifier's account there."""

    host: str
    port: int
    ca_file: Path
    domain: str
    password: str = field(repr=False)
    timeout_s: float


class MailSender:
    """SMTP session to the relay, kept open from mail to mail. `waits_s`: waits after temporary refusals."""

    def __init__(
        self, relay: RelayAccount, claims: Claims, notices: NoticeRepository, waits_s: Sequence[float]
    ) -> None:
        self._relay, self._claims, self._notices, self._waits = relay, claims, notices, waits_s
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, claim: Claim, content: bytes) -> None:
        """Send the mail of the claim's notice and record the notice's new state.

        Raises RelayUnavailableError, after the claim was released, if the recipient could not be named. Raises
        ClaimLostError if another session took the notice over.
        """
        try:
            client = await self._connect()
            code = await self._name_recipient(client, claim.notice)
        except _CONNECTION_ERRORS as error:
            await self._claims.release(claim, self._waits[0] if self._waits else 0)
            await self.close()
            raise RelayUnavailableError(type(error).__name__) from None
        if code != _OK:
            await self._record_refusal(claim, code)
            return
        try:
            await self._claims.begin_sending_text(claim)
        except (ClaimLostError, PyMongoError, TransientError):
            await self.close()
            raise
        await self._send_text(client, claim, content)

    async def _name_recipient(self, client: aiosmtplib.SMTP, notice: Notice) -> int:
        """Begin a transaction with one recipient (R-S4) and return the reply code to RCPT TO."""
        await client.mail(f"bounce+{notice.id}@{self._relay.domain}")
        try:
            return (await client.rcpt(f"{notice.token}@{self._relay.domain}")).code
        except aiosmtplib.SMTPRecipientRefused as refusal:
            await client.rset()
            return refusal.code

    async def _send_text(self, client: aiosmtplib.SMTP, claim: Claim, content: bytes) -> None:
        """Send the text and record the relay's answer, or `unknown` if the answer is lost."""
        try:
            code = (await client.data(content)).code
        except aiosmtplib.SMTPResponseException as refusal:
            code = refusal.code
        except _CONNECTION_ERRORS:
            await self._notices.record_unknown(claim.mark, claim.notice.id)
            _log.warning("mail-answer-lost", notice=claim.notice.id)
            await self.close()
            return
        if code == _OK:
            await self._notices.record_sent(claim.mark, claim.notice.id, code, wall_now())
        else:
            await self._record_refusal(claim, code)

    async def _record_refusal(self, claim: Claim, code: int) -> None:
        notice, now = claim.notice, wall_now()
        if state_after_refusal(code, notice.attempts, self._waits) is NoticeState.TO_PRINT:
            await self._notices.switch_to_post(claim.mark, notice.id, code, now)
        else:
            next_at = next_attempt_at(now, notice.attempts, self._waits)
            await self._notices.defer(claim.mark, notice.id, code, next_at)

    async def close(self) -> None:
        """Close the session; the next mail opens a new one."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(*_CONNECTION_ERRORS):
                client.close()

    async def _connect(self) -> aiosmtplib.SMTP:
        """Return the open session, or a new one."""
        if self._client is None or not self._client.is_connected:
            client = aiosmtplib.SMTP(
                hostname=self._relay.host,
                port=self._relay.port,
                timeout=self._relay.timeout_s,
                start_tls=True,
                cert_bundle=str(self._relay.ca_file),
                username="notifier",
                password=self._relay.password,
                local_hostname="notifier",
            )
            await client.connect()
            self._client = client
        return self._client
