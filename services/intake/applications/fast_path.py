"""Answer web applications in ASGI, without the routing of the framework: the request with by far the highest rate.

FastAPI's routing, dependencies and serialisation took three fifths of the time that an application costs this process
(ADR 0015). `SubmissionService` does the work, as for the route of `endpoints.py`. That route describes the endpoint
and answers all other requests to it (other methods, addresses with a query).
"""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.intake.applications.submit import SubmissionService
from services.intake.schemas import receipt_answer
from shared.web import answer_to

_PATH: Final = re.compile(r"/v1/campaigns/([^/]+)/applications")


class FastPath:
    """ASGI middleware around the app. Other requests pass through unchanged."""

    def __init__(self, app: ASGIApp, submitting: SubmissionService) -> None:
        self._app, self._applying = app, submitting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        campaign = _match_campaign(scope)
        if campaign is None:
            await self._app(scope, receive, send)
            return
        response = await self._answer(campaign, Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, campaign: str, request: Request) -> Response:
        try:
            document = await self._applying.submit(campaign, request, request.headers.get("kuji-work"))
        except Exception as error:
            answer = answer_to(error)
            if answer is None:
                raise
            return answer
        return receipt_answer(document)


def _match_campaign(scope: Scope) -> str | None:
    """Return the campaign in the path of a web application, else None."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
        return None
    match = _PATH.fullmatch(scope["path"])
    return match[1] if match else None
