"""A walk over all routes of all services: staff routes are for people who signed in."""

import re
from pathlib import Path

import httpx
import pytest

from shared.contracts import SERVICES
from tests.support.all_routes import KnownRoute, asking, staff_routes, unknown_open_routes


@pytest.mark.parametrize("service", SERVICES)
async def test_every_route_that_is_not_open_asks_for_a_session(service: str, tmp_path: Path) -> None:
    async with asking(service, tmp_path) as (app, client):
        routes = staff_routes(service, app)
        assert len(routes) > 5
        assert unknown_open_routes(service, app) == set()
        for route in routes:
            assert await _is_refused(client, route), route


async def _is_refused(client: httpx.AsyncClient, route: KnownRoute) -> bool:
    """Return True for 401. A page may lead to the sign-in instead; 422 without a body comes before anything is done."""
    if route.path.startswith("/v1/"):
        bare = (await client.request(route.method, route.path)).status_code
        if bare != 401 and (bare != 422 or route.method == "GET"):
            return False
    answer = await client.request(route.method, route.path, json=None if route.method == "GET" else {})
    is_page = route.method == "GET" and not route.path.startswith("/v1/")
    leads_to_sign_in = re.search(r"/sign-in\?|/desk/me$", answer.headers.get("location", "")) is not None
    return answer.status_code == 401 or (is_page and answer.status_code == 303 and leads_to_sign_in)
