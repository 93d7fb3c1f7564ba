"""The one door that many people use in the same minute: applications from the web, without the framework.

FastAPI's routing, dependencies and serialisation took three fifths of what an application costs this process
(ADR 0015). What happens behind the door is `Applying`, as for the route of `endpoints.py`, which describes the
endpoint and takes everything else that is sent there (paper by staff, other methods).
"""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.intake.applications.submit import Applying
from services.intake.schemas import Receipted
from shared.storage import translate_errors
from shared.web import answer_to

_PATH: Final = re.compile(r"/v1/campaigns/([^/]+)/applications")


class Door:
    """ASGI middleware around the app. What is no plain application passes through untouched."""

    def __init__(self, app: ASGIApp, applying: Applying) -> None:
        self._app, self._applying = app, applying

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        campaign = _applied_to(scope)
        if campaign is None:
            await self._app(scope, receive, send)
            return
        response = await self._answer(campaign, Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, campaign: str, request: Request) -> Response:
        try:
            with translate_errors():
                receipt = await self._applying.take(campaign, "web", request, request.headers.get("kuji-work"))
        except Exception as error:
            answer = answer_to(error)
            if answer is None:
                raise
            return answer
        return Response(Receipted(receipt=receipt).model_dump_json(), 202, media_type="application/json")


def _applied_to(scope: Scope) -> str | None:
    """The campaign's name in the path, where this is a web application: a query may say that it is paper."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
        return None
    match = _PATH.fullmatch(scope["path"])
    return match[1] if match else None
