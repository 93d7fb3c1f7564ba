"""Let the lottery's public pages ask for the application of a receipt number (CORS).

They compute the entry id from application id and code on the applicant's device (`docs/protocols.md` §2). No other
address and no other origin is opened, and browsers send no credentials.
"""

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PATH: Final = re.compile(r"/v1/campaigns/[^/]+/receipts/[^/]+")


class CrossOriginReceipts:
    """ASGI middleware around the app. `origin`: of the lottery's pages; nothing is opened where it is empty."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app, self._origin = app, origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_opened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = self._origin
                headers.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_opened if self._opens(scope) else send)

    def _opens(self, scope: Scope) -> bool:
        """Return True for a look-up by receipt number, also where it is refused: the page shows the reason."""
        if not self._origin or scope["type"] != "http" or scope["method"] != "GET":
            return False
        return _PATH.fullmatch(scope["path"]) is not None
