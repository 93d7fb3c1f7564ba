"""Engineers see health and parked messages, never a person (R-S3)."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from httpx import AsyncClient

from tests.support.people_harness import HANDLER, PARKED, PARKED_LATER, RESPONSIBLE, WARD, PeopleHarness, running
from tests.support.routes import routes_of

ENGINEER = {**HANDLER, "id": "sys-01", "name": "工藤太一", "office": "保守会社", "mail": "kudo@ops.example"}
OTHERS = [person[field] for person in (RESPONSIBLE, WARD) for field in ("id", "name", "mail")]
"""What an engineer reads of no other person."""


@pytest.fixture
async def vault(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[PeopleHarness]:
    async with running(mongo_url, namespace, tmp_path) as harness:
        yield harness


async def sign_in_engineer(vault: PeopleHarness, responsible: AsyncClient, ward: AsyncClient) -> AsyncClient:
    """Return the browser of an engineer, while another request waits for approval."""
    await responsible.post("/desk/people/requests", data={**ENGINEER, "roles": "engineer", "kind": "create"})
    (request,) = await vault.people.requests.waiting()
    approved = await ward.post(f"/desk/people/requests/{request.id}/approve")
    engineer = vault.browser()
    await vault.accept(engineer, "sys-01", approved.text.split('id="code">')[1].split("<")[0])
    await responsible.post("/desk/people/requests", data={**HANDLER, "kind": "create"})
    return engineer


def pages_of(vault: PeopleHarness) -> Iterator[str]:
    """Yield the path of each page, with an invented id where the path takes one."""
    for method, path in routes_of(vault.app):
        if method == "GET":
            yield re.sub(r"\{[^}]+\}", "r-" + "0" * 20, path)


async def test_no_page_shows_an_engineer_another_person(vault: PeopleHarness):
    responsible, ward = await vault.set_up()
    engineer = await sign_in_engineer(vault, responsible, ward)
    opened = []
    for path in pages_of(vault):
        answer = await engineer.get(path)
        assert not [text for text in (*OTHERS, HANDLER["id"], HANDLER["name"]) if text in answer.text], path
        opened += [path] if answer.status_code == 200 else []
    assert {"/desk/me", "/en/desk/me", "/desk/roles", "/desk/operations", "/en/desk/operations"} <= set(opened)
    assert not {path for path in opened if path.startswith(("/desk/people", "/en/desk/people", "/v1/people"))}


async def test_no_form_lets_an_engineer_act_on_a_person(vault: PeopleHarness):
    responsible, ward = await vault.set_up()
    engineer = await sign_in_engineer(vault, responsible, ward)
    (waiting,) = await vault.people.requests.waiting()
    for path, fields in (
        ("/desk/people/requests", {"id": "mori-01", "kind": "reset"}),
        ("/desk/people/requests", {"id": "sys-01", "kind": "substitute"}),
        (f"/desk/people/requests/{waiting.id}/approve", {}),
        (f"/desk/people/requests/{waiting.id}/refuse", {}),
        ("/desk/people/sessions/end", {"id": "suzuki-01"}),
    ):
        refused = await engineer.post(path, data=fields)
        assert refused.status_code == 403, path
        assert not [text for text in OTHERS if text in refused.text], path
    assert [request.id for request in await vault.people.requests.waiting()] == [waiting.id]
    assert (await responsible.get("/desk/me")).status_code == 200


async def test_an_engineer_sees_health_and_parked_messages_and_a_ward_officer_does_not(vault: PeopleHarness):
    responsible, ward = await vault.set_up()
    page = (await (await sign_in_engineer(vault, responsible, ward)).get("/desk/operations")).text
    assert PARKED.id in page
    assert PARKED.error in page
    assert "untrusted_messages" in page
    assert (await responsible.get("/desk/operations")).status_code == 200
    assert (await ward.get("/desk/operations")).status_code == 403


async def test_parked_messages_are_shown_page_by_page(vault: PeopleHarness, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.vault.people.pages.operations._ROWS", 1)
    responsible, _ = await vault.set_up()
    for prefix in ("", "/en"):
        first = (await responsible.get(f"{prefix}/desk/operations")).text
        assert PARKED.id in first
        assert PARKED_LATER.id not in first
        assert "parked-first" not in first
        found = re.search(r'href="([^"#]+)#parked" id="parked-next"', first)
        assert found is not None
        last = (await responsible.get(found[1])).text
        assert PARKED_LATER.id in last
        assert f"<code>{PARKED.id}</code>" not in last
        assert f'href="{prefix}/desk/operations#parked" id="parked-first"' in last
        assert "parked-next" not in last
    behind = (await responsible.get("/desk/operations", params={"after": PARKED_LATER.id})).text
    assert "nothing-parked" not in behind
    assert "parked-first" in behind
    anew = (await responsible.get("/desk/operations", params={"after": "a message that was discarded"})).text
    assert PARKED.id in anew
