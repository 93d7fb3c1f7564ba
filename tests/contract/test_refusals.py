"""Every refusal of every listener leaves a line in the log, which holds nothing of what was sent (R-S10)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from shared import logging
from shared.web.refusals import SINGLE_LINES, WINDOW_S, RefusalLog
from tests.support.all_routes import routes_with_paths
from tests.support.listeners import APPROVALS, LISTENERS, listening

SECRET = "zq-canary-in-a-request"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator["Lines"]:
    """Write logs as a service does, and return what reads them."""
    logging.configure("test", "info")
    yield Lines(capsys)
    structlog.reset_defaults()


class Lines:
    """Lines of the log since they were read last."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def text(self) -> str:
        return self._capsys.readouterr().out

    def refusals(self) -> list[tuple[str, str, int]]:
        """Return method, route and status of each refusal."""
        found = [json.loads(line) for line in self.text().splitlines()]
        return [(line["method"], line["route"], line["status"]) for line in found if line["event"] == "request-refused"]


@pytest.mark.parametrize("name", LISTENERS)
async def test_every_refusal_of_every_route_leaves_a_line_without_input(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    """Ask each route as a stranger does: without a session, with a body of another shape, with a made-up token."""
    async with listening(name, tmp_path, monkeypatch) as (app, client):
        asked = [*routes_with_paths(app)]
        assert len(asked) > 15
        refused = 0
        for route in asked:
            lines.text()
            answer = await client.request(
                route.method,
                route.path,
                params={"limit": SECRET, "after": SECRET},
                json=None if route.method == "GET" else {SECRET: SECRET},
                headers={"Authorization": f"Bearer {SECRET}"},
            )
            written, is_refusal = lines.text(), 400 <= answer.status_code < 500
            assert written.count('"event": "request-refused"') == is_refusal, (route.name, answer.status_code)
            assert SECRET not in written
            assert "0" * 32 not in written, "ids of a path"
            refused += is_refusal
        assert refused > 5


@pytest.mark.parametrize("name", LISTENERS)
async def test_a_refusal_names_the_template_of_its_route_and_of_unknown_addresses_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    async with listening(name, tmp_path, monkeypatch) as (_, client):
        lines.text()
        await client.get(f"/{SECRET}")
        path, template = "/v1/parked/x/replay", "/parked/{parked_id}/replay"
        if name == APPROVALS:
            path, template = "/v1/approvals/x/signatures", "/v1/approvals/{approval_id}/signatures"
        await client.post(path)
        await client.request("BREW", f"/{SECRET}")
    assert [(method, route) for method, route, _ in lines.refusals()] == [
        ("GET", "none"),
        ("POST", template),
        ("other", "none"),
    ]


def test_a_flood_of_refusals_leaves_their_number_and_not_a_line_for_each(lines: Lines) -> None:
    now = 1000.0
    log = RefusalLog(lambda: now)
    for _ in range(SINGLE_LINES + 500):
        log.note("GET", "none", 404)
    assert len(lines.refusals()) == SINGLE_LINES
    log.note("POST", "/session", 401)
    assert lines.refusals() == [("POST", "/session", 401)], "a flood of one kind hides no refusal of another"
    now += WINDOW_S
    log.note("GET", "none", 404)
    [told] = [line for line in map(json.loads, lines.text().splitlines()) if line["event"] == "requests-refused"]
    assert (told["route"], told["status"], told["count"]) == ("none", 404, 500)
