"""Ask drand relays for the beacon's value, and accept an answer only if its signature verifies.

The service asks only relays that the campaign file names. It asks all at once and takes the first correct answer; a
relay that lies, replays, hangs or is away only appears in the draw's list of relay troubles.
API: https://docs.drand.love, `GET /{chain}/public/{round}`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.lottery.randomness.sources import BeaconRound, InvalidRandomnessError, check_beacon

Trouble = Literal["away", "slow", "not-yet", "refused", "malformed", "other-round", "false-signature"]

_MOST_BYTES: Final = 4096
_NOT_YET: Final = frozenset({404, 425})


class RelayError(Exception):
    """Raised when a relay gives no usable value; `trouble` is the code of the reason."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


@dataclass(frozen=True)
class RelayAnswer:
    """Answer of all relays. `signature`: verified, in hex, None if no relay had it. `troubles`: by the relay's host."""

    signature: str | None
    troubles: dict[str, Trouble]


class _Answer(BaseModel):
    """Members of a relay's answer that the service reads."""

    model_config = ConfigDict(extra="ignore")

    round: int
    signature: str = Field(pattern=r"^[0-9a-f]{96}$")


class RelayClient:
    """Asks relays over HTTP; `timeout_s` limits the wait for one relay."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    async def ask(self, relays: Sequence[str], beacon: BeaconRound) -> RelayAnswer:
        """Return the first value that verifies, or why no relay gave one."""
        troubles: dict[str, Trouble] = {}
        async with httpx.AsyncClient(timeout=self._timeout_s, follow_redirects=False) as client:
            pending = {asyncio.create_task(self._ask(client, relay, beacon), name=_host(relay)) for relay in relays}
            try:
                while pending:
                    done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        value = task.result()
                        if isinstance(value, str):
                            return RelayAnswer(value, troubles)
                        troubles[task.get_name()] = value.trouble
            finally:
                for task in pending:
                    task.cancel()
                await asyncio.gather(*pending, return_exceptions=True)
        return RelayAnswer(None, troubles)

    async def _ask(self, client: httpx.AsyncClient, relay: str, beacon: BeaconRound) -> str | RelayError:
        try:
            async with asyncio.timeout(self._timeout_s):
                body = await _fetch(client, f"{relay.rstrip('/')}/{beacon.chain}/public/{beacon.round}")
            return await asyncio.to_thread(_check_answer, body, beacon)
        except TimeoutError:
            return RelayError("slow")
        except httpx.TimeoutException:
            return RelayError("slow")
        except (httpx.HTTPError, httpx.InvalidURL):
            return RelayError("away")
        except RelayError as error:
            return error


async def _fetch(client: httpx.AsyncClient, url: str) -> bytes:
    async with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
        if answer.status_code in _NOT_YET:
            raise RelayError("not-yet")
        if not answer.is_success:
            raise RelayError("refused")
        body = b""
        async for piece in answer.aiter_raw():  # raw: an unpacked answer could be larger than its limit
            body += piece
            if len(body) > _MOST_BYTES:
                raise RelayError("malformed")
        return body


def _check_answer(body: bytes, beacon: BeaconRound) -> str:
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError:
        raise RelayError("malformed") from None
    if answer.round != beacon.round:
        raise RelayError("other-round")
    try:
        return check_beacon(answer.signature, beacon)
    except InvalidRandomnessError:
        raise RelayError("false-signature") from None


def _host(relay: str) -> str:
    return urlsplit(relay).netloc
