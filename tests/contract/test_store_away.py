"""While the database has no primary, every route of every service answers as documented, and none with 500."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from shared.web.sign_in.access import SESSION
from tests.support.offline_services import BUILDERS, build_offline
from tests.support.routes import routes_of
from tests.support.staff_sign_in import ORIGINS

_VALUES = {
    "campaign": "777-days",
    "receipt": "W-7K3M-9Q2P-6",
    "postal_code": "1608484",
    "application_id": "0b0e7c4a-6f0f-4d2e-9a55-3c1d2e4f5a6b",
}

_WITHOUT_A_TIME = {"GET /health/ready", "GET /signed-in"}
"""A load balancer asks again by itself; and no key of the vault is pinned here, which waiting does not change."""


def _fill(path: str) -> str:
    """Return the path with values that have the right form where the form is checked."""
    return re.sub(r"{([a-z_]+)(?::[a-z]+)?}", lambda name: _VALUES.get(name[1], _VALUES["application_id"]), path)


@pytest.mark.parametrize("service", BUILDERS)
async def test_without_a_database_no_route_answers_500_and_every_answer_503_says_when_to_ask_again(
    service: str, tmp_path: Path
) -> None:
    """Ask with a staff session, too, so that the routes of staff get as far as the database."""
    app, stores = build_offline(
        service, tmp_path, mongo_url="mongodb://127.0.0.1:1/?replicaSet=kuji", timeout_s=0.05, origins=ORIGINS
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    token, origin = {"Authorization": f"Bearer {(tmp_path / 'token').read_text()}"}, ORIGINS[service]
    session = {"Cookie": f"{SESSION}=of-a-person", "Origin": origin}
    async with httpx.AsyncClient(transport=transport, base_url=origin) as client:

        async def answer(method: str, path: str, headers: dict[str, str]) -> tuple[str, httpx.Response]:
            body = {} if method in {"GET", "HEAD"} else {"json": {}}
            response = await client.request(method, _fill(path), headers=headers, **body)  # type: ignore[arg-type]
            return f"{method} {path}", response

        asked = [(*route, headers) for route in routes_of(app) for headers in (token, session)]
        answers = await asyncio.gather(*(answer(*one) for one in asked))
    for store in stores:
        await store.close()
    assert [route for route, response in answers if response.status_code == 500] == []
    away = {(route, "retry-after" in response.headers) for route, response in answers if response.status_code == 503}
    assert {route for route, says_when in away if not says_when} <= _WITHOUT_A_TIME
    assert len(away) > 10
