"""Asking drand relays for the beacon's value. What they say is believed only if its signature holds.

Off unless the campaign file names relays: nothing leaves the office by itself. All are asked at once and the first
right answer is taken; a relay that lies, replays, hangs or is away costs nothing but its name in the draw's trouble.
API: https://docs.drand.love, `GET /{chain}/public/{round}`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.lottery.randomness.sources import BadRandomness, BeaconRound, check_beacon

Trouble = Literal["away", "slow", "not-yet", "refused", "malformed", "other-round", "false-signature"]

_MOST_BYTES: Final = 4096
_NOT_YET: Final = frozenset({404, 425})


class RelayTrouble(Exception):  # noqa: N818  (says what is the case)
    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


@dataclass(frozen=True)
class Asked:
    """`signature`: hex, verified; None where no relay had it. `troubles`: by the relay's host."""

    signature: str | None
    troubles: dict[str, Trouble]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    round: int
    signature: str = Field(pattern=r"^[0-9a-f]{96}$")


class Relays:
    """`timeout_s`: longest that one relay is waited for."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    async def ask(self, relays: Sequence[str], beacon: BeaconRound) -> Asked:
        """Ask all of them; the first value that verifies ends it."""
        troubles: dict[str, Trouble] = {}
        async with httpx.AsyncClient(timeout=self._timeout_s, follow_redirects=False) as client:
            asking = {asyncio.create_task(self._one(client, relay, beacon), name=_host(relay)) for relay in relays}
            try:
                while asking:
                    done, asking = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        said = task.result()
                        if isinstance(said, str):
                            return Asked(said, troubles)
                        troubles[task.get_name()] = said.trouble
            finally:
                for task in asking:
                    task.cancel()
                await asyncio.gather(*asking, return_exceptions=True)
        return Asked(None, troubles)

    async def _one(self, client: httpx.AsyncClient, relay: str, beacon: BeaconRound) -> str | RelayTrouble:
        try:
            async with asyncio.timeout(self._timeout_s):
                body = await _fetched(client, f"{relay.rstrip('/')}/{beacon.chain}/public/{beacon.round}")
            return await asyncio.to_thread(_checked, body, beacon)
        except TimeoutError:
            return RelayTrouble("slow")
        except httpx.TimeoutException:
            return RelayTrouble("slow")
        except (httpx.HTTPError, httpx.InvalidURL):
            return RelayTrouble("away")
        except RelayTrouble as trouble:
            return trouble


async def _fetched(client: httpx.AsyncClient, url: str) -> bytes:
    async with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
        if answer.status_code in _NOT_YET:
            raise RelayTrouble("not-yet")
        if not answer.is_success:
            raise RelayTrouble("refused")
        body = b""
        async for piece in answer.aiter_raw():  # as sent: nothing is unpacked that could be larger than it looks
            body += piece
            if len(body) > _MOST_BYTES:
                raise RelayTrouble("malformed")
        return body


def _checked(body: bytes, beacon: BeaconRound) -> str:
    try:
        said = _Answer.model_validate_json(body)
    except ValidationError:
        raise RelayTrouble("malformed") from None
    if said.round != beacon.round:
        raise RelayTrouble("other-round")
    try:
        return check_beacon(said.signature, beacon)
    except BadRandomness:
        raise RelayTrouble("false-signature") from None


def _host(relay: str) -> str:
    return urlsplit(relay).netloc
