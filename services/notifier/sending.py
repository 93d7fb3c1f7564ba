"""Sending through the relay, command by command, so that each recipient's own answer is kept (R-S4).

Before the text goes out its notices are durably marked; an answer lost after that makes them `unknown`.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiosmtplib

from services.notifier import ledger
from services.notifier.replies import next_attempt, state_after
from services.notifier.states import NoticeState
from shared.logging import get_logger
from shared.storage import Store

_log = get_logger(__name__)


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

    def __init__(self, relay: Relay, store: Store, waits_s: Sequence[float]) -> None:
        self._relay, self._store, self._waits = relay, store, waits_s
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, notices: Mapping[str, dict[str, Any]], envelope_id: str, content: bytes) -> None:
        """`notices` by recipient address. Every notice ends in a new state, whatever happens. Raises RelayAway."""
        taken: list[str] = []
        try:
            client = await self._connected()
            await client.mail(f"bounce+{envelope_id}@{self._relay.domain}")
            for address, notice in notices.items():
                code = await _ask(client, address)
                if code == aiosmtplib.SMTPStatus.completed:
                    taken.append(address)
                else:
                    await self._refused([notice], code)
            if not taken:
                await client.rset()
                return
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            await self._put_off(list(notices.values()))
            await self.close()
            raise RelayAway(type(error).__name__) from None
        await self._commit(client, [notices[address] for address in taken], content)

    async def _commit(self, client: aiosmtplib.SMTP, notices: Sequence[dict[str, Any]], content: bytes) -> None:
        ids = [notice["_id"] for notice in notices]
        await ledger.move(self._store, ids, NoticeState.COMMITTING)
        try:
            code = (await client.data(content)).code
        except aiosmtplib.SMTPResponseException as refusal:
            code = refusal.code
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            await ledger.move(self._store, ids, NoticeState.UNKNOWN)
            _log.warning("verdict-unknown", count=len(ids))
            await self.close()
            return
        if code == aiosmtplib.SMTPStatus.completed:
            await ledger.move(self._store, ids, NoticeState.MAILED, sent_at=ledger.wall_now(), code=str(code))
        else:
            await self._refused(notices, code)

    async def _refused(self, notices: Sequence[dict[str, Any]], code: int) -> None:
        """4xx: later, then by post; 5xx: by post."""
        for notice in notices:
            attempt = int(notice["attempts"]) + 1
            state = state_after(code, attempt, self._waits)
            bounced, now = state is NoticeState.TO_PRINT, ledger.wall_now()
            values = {"code": str(code), "attempts": attempt, "bounced": bounced}
            again = now if bounced else next_attempt(now, attempt, self._waits)
            await ledger.move(self._store, [notice["_id"]], state, next_at=again, **values)

    async def _put_off(self, notices: Sequence[dict[str, Any]]) -> None:
        """Nothing was sent and nobody refused: again soon, without counting as an attempt."""
        again = next_attempt(ledger.wall_now(), 1, self._waits[:1])
        ids = [notice["_id"] for notice in notices]
        await ledger.move(self._store, ids, NoticeState.DEFERRED, next_at=again)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
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
