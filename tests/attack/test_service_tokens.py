"""Attack: a holder of a service's token, who could act under any name before staff signed in (a12)."""

from pathlib import Path

import pytest

from shared.contracts import SERVICES
from tests.support.all_routes import asking, staff_routes

METRICS = "GET /v1/queues"


@pytest.mark.parametrize("service", SERVICES)
async def test_a12_the_token_of_a_service_opens_its_metrics_and_nothing_else(service: str, tmp_path: Path) -> None:
    """Before: any id could be named in `actor`, `requested_by` and `approved_by`, and a package taken out."""
    async with asking(service, tmp_path) as (app, client):
        client.headers["Authorization"] = f"Bearer {(tmp_path / 'token').read_text('utf-8')}"
        opened = set()
        for route in staff_routes(service, app):
            body = None if route.method == "GET" else {"actor": "yamada-01"}
            answer = await client.request(route.method, route.path, json=body)
            if answer.status_code not in {401, 303}:
                opened.add(route.name)
    assert opened == {METRICS}
