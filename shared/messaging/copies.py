"""Copies of each queue on the nodes of a cluster, read from RabbitMQ's management interface (HTTP).

AMQP itself tells nobody on how many nodes a quorum queue lies. A queue with one copy is gone with its node.
"""

import asyncio
import base64
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

from shared.errors import ConfigurationError
from shared.json_types import JsonObject
from shared.messaging.addresses import parse_addresses
from shared.messaging.errors import BrokerUnavailableError
from shared.messaging.names import Names
from shared.settings import ServiceSettings

_ANSWER_S: Final = 1.8
"""Longest wait for all nodes together: readiness waits two seconds for an alarm."""

_COLUMNS: Final = "name,type,members,online,leader"


@dataclass(frozen=True)
class QueueCopies:
    """Nodes of one queue: `members` hold a copy of it, those of `online` answer, `leader` takes its messages."""

    members: frozenset[str]
    online: frozenset[str]
    leader: str | None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read one queue of the management interface."""
        members = frozenset(document.get("members", ()))
        return cls(members, frozenset(document.get("online", ())) & members, document.get("leader") or None)


@dataclass(frozen=True)
class Management:
    """Management interface at one or more `urls`; the first that answers is asked. `timeout_s`: for each of them.

    `tls`: certificates of the broker's own address, which these connections show and verify as well.
    """

    urls: tuple[str, ...]
    user: str
    password: str = field(repr=False)
    vhost: str
    timeout_s: float = 3.0
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, urls: str, amqp_url: str, timeout_s: float = 3.0) -> Self:
        """Read the setting KUJI_QUEUE_STATUS_URL; user, password and vhost are those of KUJI_AMQP_URL.

        Raises ConfigurationError, which names the setting only; also where the password would go in the clear although
        the broker is reached by TLS.
        """
        found = tuple(url.strip().rstrip("/") for url in urls.split(",") if url.strip())
        if any(urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname for url in found):
            raise ConfigurationError(
                "KUJI_QUEUE_STATUS_URL is not a list of http(s)://host:port, separated by commas and without a password"
            )
        parts = urlsplit(parse_addresses(amqp_url)[0])
        has_tls = parts.scheme == "amqps"
        if has_tls and not all(url.startswith("https://") for url in found):
            raise ConfigurationError(
                "KUJI_AMQP_URL is amqps://, but KUJI_QUEUE_STATUS_URL is not https:// and would carry the password in "
                "the clear; let the plug-in rabbitmq_management listen with TLS (management.ssl) and name that port"
            )
        tls = _context(parse_qs(parts.query)) if has_tls and found else None
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(found, user, password, unquote(parts.path[1:]) or "/", timeout_s, tls)

    async def queues(self) -> dict[str, QueueCopies]:
        """Return the copies by queue. Raises BrokerUnavailableError."""
        rows = await self.get(f"/api/queues/{quote(self.vhost, safe='')}?columns={_COLUMNS}")
        return {row["name"]: QueueCopies.from_document(row) for row in rows}

    async def running_nodes(self) -> list[str]:
        """Return the names of the nodes that run. Raises BrokerUnavailableError, also without the right to ask."""
        return sorted(node["name"] for node in await self.get("/api/nodes?columns=name,running") if node.get("running"))

    async def get(self, path: str) -> Any:
        """Return what the first node that answers says. Raises BrokerUnavailableError."""
        return await asyncio.to_thread(self._get, path)

    def _get(self, path: str) -> Any:
        credentials = base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")
        reason = "NotConfigured"
        opener = build_opener(_NoRedirect, ProxyHandler({}), HTTPSHandler(context=self.tls))  # a proxy hears nothing
        for url in self.urls:
            request = Request(url + path, headers={"Authorization": f"Basic {credentials}"})  # noqa: S310  (checked)
            try:
                with opener.open(request, timeout=self.timeout_s) as answer:
                    return json.load(answer)
            except (OSError, ValueError) as error:
                reason = type(error).__name__
        raise BrokerUnavailableError(
            f"the management interface did not answer ({reason}); see KUJI_QUEUE_STATUS_URL, that the plug-in "
            "rabbitmq_management runs, and that the user has the tag `management`"
        ) from None


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirect: the password would go with it."""

    def redirect_request(self, *_: object) -> None:
        """Return None, so that the answer is an error."""


def _context(parameters: Mapping[str, Sequence[str]]) -> ssl.SSLContext:
    """Return the context that the parameters of an AMQP address name. Raises ConfigurationError."""
    files = {name: values[0] for name, values in parameters.items()}
    try:
        context = ssl.create_default_context(cafile=files.get("cafile"))
        if "certfile" in files:
            context.load_cert_chain(files["certfile"], files.get("keyfile"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"a file that KUJI_AMQP_URL names cannot be read as PEM ({type(error).__name__})"
        ) from None
    return context


class CopiesCheck:
    """Compare the copies of a service's own queues with the number that the installation wishes for."""

    def __init__(self, management: Management, names: Names, queues: Sequence[str], wished: int) -> None:
        self._management, self._names, self._queues, self._wished = management, names, queues, wished

    @classmethod
    def of(cls, settings: ServiceSettings, names: Names, queues: Sequence[str]) -> Self:
        """Return the check of these queues. Raises ConfigurationError where the settings do not fit each other."""
        each_s = _ANSWER_S / (1 + settings.queue_status_url.count(","))
        management = Management.of(settings.queue_status_url, settings.amqp_url.get_secret_value(), each_s)
        if settings.queue_copies > 1 and not management.urls:
            raise ConfigurationError("KUJI_QUEUE_COPIES is above 1; name the nodes' KUJI_QUEUE_STATUS_URL as well")
        return cls(management, names, queues, settings.queue_copies)

    @property
    def is_wanted(self) -> bool:
        """True if more than one copy is wished for."""
        return self._wished > 1

    async def report(self) -> JsonObject | None:
        """Return the copies that answer, by queue, and the number wished for; None where one copy is enough.

        Raises BrokerUnavailableError.
        """
        return {"wished": self._wished, "online": await self._online()} if self.is_wanted else None

    async def count_short(self) -> int:
        """Return the number of queues that have fewer copies than wished for. Raises BrokerUnavailableError."""
        return sum(count < self._wished for count in (await self._online()).values())

    async def _online(self) -> dict[str, int]:
        """Return the number of copies by queue, without namespace; 0 for a queue that is not there."""
        found = await self._management.queues()
        return {self._names.plain(name): len(found[name].online) if name in found else 0 for name in self._queues}
