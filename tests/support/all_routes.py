"""Every route of a service, with a path that a request can be sent to, and which of them are open to all."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.support.offline_services import build_offline
from tests.support.staff_sign_in import ORIGINS

_CAMPAIGN = "/v1/campaigns/{campaign}"
_SIGN_IN = {"GET /sign-in", "GET /signed-in", "POST /sign-out", "GET /signed-out", "GET /assets/{name}", "GET /"}
_HEALTH = {"GET /health/live", "GET /health/ready"}
_DRAW = ("manifest", "rows", "roll", "transcript", "stamps", "stamps/{stamp}")

OPEN: dict[str, set[str]] = {
    "intake": {
        *_SIGN_IN, *_HEALTH,
        "GET /v1/openapi.json", f"POST {_CAMPAIGN}/applications", "GET /v1/applications/{application_id}",
        "POST /v1/applications/{application_id}/versions", "GET /v1/receipt-keys",
        f"GET {_CAMPAIGN}/receipts/{{receipt}}", f"GET {_CAMPAIGN}", f"GET {_CAMPAIGN}/sealing-key",
        "GET /v1/postal-codes/{code}", "GET /c/{campaign}", "GET /c/{campaign}/apply", "GET /c/{campaign}/status",
        "GET /c/{campaign}/sheet.pdf",
    },
    "lottery": {
        *_SIGN_IN, *_HEALTH,
        *(f"GET {_CAMPAIGN}/{part}" for part in _DRAW),
        *(f"GET {_CAMPAIGN}/draws/{{number}}/{part}" for part in _DRAW),
        f"GET {_CAMPAIGN}/draws",
        f"GET {_CAMPAIGN}/entries/{{entry}}/proof",
        f"POST {_CAMPAIGN}/places/own", f"POST {_CAMPAIGN}/places/own/answer",
        "GET /reception/worker.js", "GET /reception/{campaign}/app.webmanifest",
        "GET /verify", "GET /verify/{campaign}", "GET /verify-offline.js",
        "GET /withdraw", "GET /c/{campaign}/withdraw",
    },
    "notifier": {*_SIGN_IN, *_HEALTH},
    "vault": {
        *_SIGN_IN, *_HEALTH,
        "GET /v1/signing-key", "POST /sign-in", "POST /sign-in/terminal", "POST /sign-in/passkey",
        "POST /sign-in/passkey/options", "GET /sign-in/invitation", "POST /sign-in/invitation", "POST /sign-in/factors",
    },
}  # fmt: skip
"""Routes that nobody has to sign in for, without the language's prefix. A route that is added is for staff."""

_VALUES = {
    "campaign": "777-days",
    "kind": "result",
    "channel": "mail",
    "device": "A-00000001",
    "approval_id": f"a-{'0' * 20}",
}


@dataclass(frozen=True)
class KnownRoute:
    """Route of a service; `name` and `template` have its placeholders, `path` has values for them."""

    name: str
    method: str
    path: str
    template: str = ""


def staff_routes(service: str, app: FastAPI) -> list[KnownRoute]:
    """Return the routes that are not open to all."""
    return [route for route in routes_with_paths(app) if route.name not in OPEN[service]]


def unknown_open_routes(service: str, app: FastAPI) -> set[str]:
    """Return the entries of `OPEN` that are no routes of the service."""
    return OPEN[service] - {route.name for route in routes_with_paths(app)} - _SIGN_IN


@asynccontextmanager
async def asking(service: str, folder: Path, **more: object) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """Yield the service without broker and database, and a client of it that sends its own Origin; `more`: settings."""
    app, stores = build_offline(service, folder, origins=ORIGINS, **more)
    headers, transport = {"Origin": ORIGINS[service]}, httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGINS[service], headers=headers) as client:
        yield app, client
    for store in stores:
        await store.close()


def routes_with_paths(app: FastAPI) -> Iterator[KnownRoute]:
    """Yield every route of the app, one for each method."""
    for context in iter_route_contexts(app.routes):
        template = re.sub("^/en(/|$)", "/", str(context.path))
        path = re.sub(r"\{(\w+)\}", lambda found: _VALUES.get(found[1], "0" * 32), str(context.path))
        for method in sorted(set(context.methods or ()) - {"HEAD"}):
            yield KnownRoute(f"{method} {template}", method, path, str(context.path))
