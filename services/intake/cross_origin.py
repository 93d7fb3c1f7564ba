"""Let two pages of other services call intake (CORS): the lottery's public pages, and the vault's telephone desk.

The lottery's pages ask for the application of a receipt number. They compute the entry id from application id and code
on the applicant's device (`docs/protocols.md` §2). The desk's page posts a version that the vault sealed for an
applicant who called (ADR 40); it is as public as an applicant's own. No other address and no other origin is opened,
and browsers send no credentials.
"""

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_RECEIPT: Final = re.compile(r"/v1/campaigns/[^/]+/receipts/[^/]+")
_VERSIONS: Final = re.compile(r"/v1/applications/[^/]+/versions")


class CrossOriginCalls:
    """ASGI middleware around the app. `lottery`, `vault`: origins of their pages; an empty one opens nothing."""

    def __init__(self, app: ASGIApp, *, lottery: str, vault: str) -> None:
        self._app, self._lottery, self._vault = app, lottery, vault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = self._opened_to(scope)

        async def send_opened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = origin
                headers.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_opened if origin else send)

    def _opened_to(self, scope: Scope) -> str:
        """Return the origin that may read the answer, also a refusal; empty for every other call."""
        if scope["type"] != "http":
            return ""
        if scope["method"] == "GET" and _RECEIPT.fullmatch(scope["path"]):
            return self._lottery
        return self._vault if scope["method"] == "POST" and _VERSIONS.fullmatch(scope["path"]) else ""
