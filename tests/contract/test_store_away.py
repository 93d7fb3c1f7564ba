"""While the database has no primary, every route of every service answers as documented, and none with 500."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from tests.support.offline_services import BUILDERS, build_offline
from tests.support.routes import routes_of

_VALUES = {
    "campaign": "777-days",
    "receipt": "W-7K3M-9Q2P-6",
    "postal_code": "1608484",
    "application_id": "0b0e7c4a-6f0f-4d2e-9a55-3c1d2e4f5a6b",
}


def _fill(path: str) -> str:
    """Return the path with values that have the right form where the form is checked."""
    return re.sub(r"{([a-z_]+)(?::[a-z]+)?}", lambda name: _VALUES.get(name[1], _VALUES["application_id"]), path)


@pytest.mark.parametrize("service", BUILDERS)
async def test_no_route_answers_500_without_a_database(service: str, tmp_path: Path) -> None:
    app, stores = build_offline(service, tmp_path, mongo_url="mongodb://127.0.0.1:1/?replicaSet=kuji", timeout_s=0.05)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    token = {"Authorization": f"Bearer {(tmp_path / 'token').read_text()}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://kuji.test", headers=token) as client:

        async def answer(method: str, path: str) -> tuple[str, str, int]:
            body = {} if method in {"GET", "HEAD"} else {"json": {}}
            return method, path, (await client.request(method, _fill(path), **body)).status_code  # type: ignore[arg-type]

        answers = await asyncio.gather(*(answer(method, path) for method, path in routes_of(app)))
    for store in stores:
        await store.close()
    failed = [f"{method} {path}: {status}" for method, path, status in answers if status == 500]
    assert answers
    assert failed == []
