"""A real campaign without a malware scanner is no secret of the settings: desk, readiness and status say so (R-S9)."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from deploy.cli.commands import app
from services.vault.approvals import parts as approval_parts
from services.vault.papers import wiring as papers_wiring
from services.vault.papers.clamd import Scanner
from services.vault.people import parts as people_parts
from tests.integration.vault.test_engineers import sign_in_engineer
from tests.support import people_harness
from tests.support.desk_harness import FIRST, NO_SCANNER, Desk
from tests.support.people_harness import REPORT, running
from tests.support.vault_parts import parts

CLAMD = Scanner("unix:/run/clamav/clamd.ctl")
COLLECTIONS = [*papers_wiring.collections(), *people_parts.collections(), *approval_parts.collections()]


@asynccontextmanager
async def desk_of(place: tuple[str, str, Path], scanner: Scanner, *, rehearsal: bool) -> AsyncIterator[Desk]:
    async with parts(*place, COLLECTIONS, rehearsal=rehearsal) as vault:
        yield Desk(vault, vault.campaign, scanner=scanner)


@pytest.mark.parametrize(
    ("scanner", "rehearsal", "warned"), [(NO_SCANNER, False, 1), (CLAMD, False, 0), (NO_SCANNER, True, 0)]
)
async def test_a_real_campaign_without_a_scanner_is_warned_of_until_it_is_erased(
    mongo_url: str, namespace: str, tmp_path: Path, scanner: Scanner, *, rehearsal: bool, warned: int
) -> None:
    async with desk_of((mongo_url, namespace, tmp_path), scanner, rehearsal=rehearsal) as desk:
        first = await desk.person(FIRST)
        page = (await first.client.get("/desk")).raise_for_status().text
        assert ("ウイルス検査が設定されていません" in page, "clamd" in page) == (bool(warned),) * 2
        assert ("No malware scanner is set up" in (await first.client.get("/en/desk")).text) is bool(warned)
        assert await desk.papers.count_without_scanner() == warned
        desk.vault.keystore.destroy_campaign_key(desk.vault.campaign.id)
        assert await desk.papers.count_without_scanner() == 0
        assert "ウイルス検査" not in (await first.client.get("/desk")).text


async def test_the_page_of_engineers_says_what_to_set(
    mongo_url: str, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(mongo_url, namespace, tmp_path) as vault:
        engineer = await sign_in_engineer(vault, *await vault.set_up())
        assert "KUJI_CLAMD_URL" not in (await engineer.get("/desk/operations")).text
        report = replace(REPORT, alarms={"untrusted_messages": 0, "campaigns_without_scanner": 1})
        monkeypatch.setattr(people_harness, "REPORT", report)
        assert "KUJI_CLAMD_URL" in (await engineer.get("/desk/operations")).text
        assert "KUJI_CLAMD_URL" in (await engineer.get("/en/desk/operations")).text


def test_status_shows_the_alarms_that_are_not_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alarms = {"untrusted_messages": 0, "campaigns_without_scanner": 1, "notices_stuck": None}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/health/ready":
            return httpx.Response(200, json={"status": "ready", "checks": {}, "alarms": alarms})
        return httpx.Response(200, json={"queues": {"vault.parked": 0}})

    (tmp_path / "token").write_text("token")
    endpoint = {"url": "http://127.0.0.1:1", "token_file": str(tmp_path / "token")}
    (tmp_path / "installation.json").write_text(json.dumps({"services": {"vault": endpoint}}))
    monkeypatch.setenv("KUJI_INSTALLATION", str(tmp_path / "installation.json"))
    client = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **given: client(**given, transport=httpx.MockTransport(answer)))
    shown = CliRunner().invoke(app, ["status", "--json"])
    assert json.loads(shown.stdout)[0]["alarms"] == "campaigns_without_scanner 1"
