"""Sending through the relay, command by command, so that each recipient's own answer is kept (R-S4).

Before the text goes out its notices are durably marked; an answer lost after that makes them `unknown`.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import aiosmtplib

from services.notifier import ledger
from services.notifier.claims import Claim, ClaimLost, Claims, Notice
from services.notifier.rules.replies import next_attempt, refused_for_another, state_after
from services.notifier.rules.states import NoticeState
from shared.errors import TransientError
from shared.logging import get_logger
from shared.storage import PyMongoError

_log = get_logger(__name__)

_OK: Final = 250
_FAILURES: Final = (aiosmtplib.SMTPException, OSError, TimeoutError)


class RelayAway(Exception):  # noqa: N818  (says what is the case)
    """The relay does not answer, or does not let this account in; nothing was sent."""


@dataclass(frozen=True)
class Relay:
    """The vault's relay as its client sees it."""

    host: str
    port: int
    ca_file: Path
    domain: str
    password: str = field(repr=False)
    timeout_s: float


class Sender:
    """One session to the relay, kept open from message to message."""

    def __init__(self, relay: Relay, claims: Claims, waits_s: Sequence[float]) -> None:
        self._relay, self._claims, self._waits = relay, claims, waits_s
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, claim: Claim, content: bytes) -> None:
        """To everybody in the claim; each notice ends in a new state, whatever happens. Raises RelayAway."""
        try:
            taken = await self._name_recipients(claim)
        except _FAILURES as error:
            await self._claims.put_off(claim.mark, self._waits[0] if self._waits else 0)
            await self.close()
            raise RelayAway(type(error).__name__) from None
        if not taken:
            return
        try:
            await self._claims.commit(claim.mark, [notice["_id"] for notice in taken])
        except (ClaimLost, PyMongoError, TransientError):
            await self.close()
            raise
        await self._say(claim, taken, content)

    async def _name_recipients(self, claim: Claim) -> list[Notice]:
        """Who was accepted; whoever was refused is settled at once, by an answer of their own."""
        client = await self._connected()
        await client.mail(f"bounce+{claim.envelope_id}@{self._relay.domain}")
        taken = []
        for notice in claim.notices:
            code = await _ask(client, f"{notice['token']}@{self._relay.domain}")
            if code == _OK:
                taken.append(notice)
            else:
                await self._refused(claim, [notice], code)
        if not taken:
            await client.rset()
        return taken

    async def _say(self, claim: Claim, notices: Sequence[Notice], content: bytes) -> None:
        """The text, and its one verdict. From here on a lost answer is `unknown`."""
        ids = [notice["_id"] for notice in notices]
        try:
            code = (await cast("aiosmtplib.SMTP", self._client).data(content)).code
        except aiosmtplib.SMTPResponseException as refusal:
            code = refusal.code
        except _FAILURES:
            await self._claims.settle(claim.mark, ids, NoticeState.UNKNOWN)
            _log.warning("verdict-unknown", count=len(ids))
            await self.close()
            return
        if code == _OK:
            await self._claims.settle(
                claim.mark, ids, NoticeState.MAILED, sent_at=ledger.wall_now(), code=str(code), bounced=False
            )
        elif refused_for_another(code, len(notices)):
            await self._claims.settle(
                claim.mark, ids, NoticeState.DEFERRED, alone=True, batch_id=None, next_at=ledger.wall_now()
            )
        else:
            await self._refused(claim, notices, code)

    async def _refused(self, claim: Claim, notices: Sequence[Notice], code: int) -> None:
        """4xx: later, then by post; 5xx: by post, at once."""
        for notice in notices:
            attempt, now = int(notice["attempts"]), ledger.wall_now()
            state = state_after(code, attempt, self._waits)
            by_post = state is NoticeState.TO_PRINT
            values = {"next_at": now if by_post else next_attempt(now, attempt, self._waits), "bounced": by_post}
            await self._claims.settle(claim.mark, [notice["_id"]], state, code=str(code), batch_id=None, **values)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(*_FAILURES):
                client.close()

    async def _connected(self) -> aiosmtplib.SMTP:
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


async def _ask(client: aiosmtplib.SMTP, address: str) -> int:
    try:
        return (await client.rcpt(address)).code
    except aiosmtplib.SMTPRecipientRefused as refusal:
        return refusal.code
