"""Every HTTP listener of the installation, without broker and database: the services', and the vault's for the ward."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest
from fastapi import FastAPI

from services.vault.approvals import wiring
from shared.contracts import SERVICES
from tests.support.all_routes import asking
from tests.support.staff_sign_in import ORIGINS

APPROVALS: Final = "approvals"
"""Name of the vault's further listener, for the ward."""

LISTENERS: Final = (*SERVICES, APPROVALS)


@asynccontextmanager
async def listening(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: object
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """Yield the app of a listener and a client of it, and let no flood hide a line. `settings`: further ones."""
    apps, listener_app = list[FastAPI](), wiring.listener_app
    monkeypatch.setattr("shared.web.refusals.SINGLE_LINES", 10_000)
    monkeypatch.setattr(wiring, "listener_app", lambda *given: apps.append(listener_app(*given)) or apps[-1])
    more = dict(settings)
    if name == APPROVALS:
        more |= {"approve_port": 0, "approve_origin": f"{ORIGINS['vault']}:1"}
    async with asking("vault" if name == APPROVALS else name, folder, timeout_s=0.05, **more) as (app, client):
        if name != APPROVALS:
            yield app, client
            return
        transport = httpx.ASGITransport(apps[0], raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"{ORIGINS['vault']}:1") as alone:
            yield apps[0], alone
