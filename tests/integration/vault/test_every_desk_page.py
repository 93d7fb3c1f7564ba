"""Every page and download of the desk, found by its route: no cache keeps it, and only who may open people sees one.

No file name, header or address carries a person: browsers keep these in lists of downloads and in their history.
"""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from httpx import AsyncClient

from shared.staff_roles import Right, Role, may
from tests.support.desk_harness import CAMPAIGN, FIRST, PAPERS, form, opened
from tests.support.doubts_harness import DoubtsDesk
from tests.support.every_desk_page import (
    LEADS_ON,
    OF_ERASED,
    add_all_pages,
    granted_disclosure,
    page_paths,
    sample_parameters,
)
from tests.support.identity_builders import person
from tests.support.leak_search import seek
from tests.support.telephone_harness import search, telephone_desk
from tests.support.vault_parts import Known

ONE = person(name="勘解由小路 一郎", phone="0312345678", address="東京都新宿区歌舞伎町1-4-1", email="k@gmail.example")
OTHER = person(name="勘解由小路 一郎", phone="0312345678", address="東京都新宿区歌舞伎町1-4-1 203", email=None)
ROLES = {"handler": Role.HANDLER, "responsible": Role.RESPONSIBLE, "ward": Role.WARD}

WITHOUT_WORK = OF_ERASED | {"/desk/doubts/{campaign}/{one}"}
"""Pages that this register has no work for: certificates, and an address that no table knows."""

SOUGHT = seek(
    {
        "name": ONE.name,
        "name without blank": ONE.name.replace(" ", ""),
        "address": ONE.address,
        "phone": ONE.phone,
        "mail": str(ONE.email),
    }
)
ADDRESSES = re.compile(r'(?:href|src|action|formaction)="([^"]*)"')
FILE_NAME = re.compile(r'attachment; filename="[a-z0-9.-]+"')


@dataclass
class Walk:
    """People of staff at their browsers, and the address of every page."""

    handler: AsyncClient
    responsible: AsyncClient
    ward: AsyncClient
    stranger: AsyncClient
    addresses: dict[str, str]
    known: list[Known]


@pytest.fixture
async def walk(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Walk]:
    async with telephone_desk(mongo_url, namespace, tmp_path) as desk:
        await add_all_pages(desk)
        staff = DoubtsDesk(desk.staff, desk.register)
        handler = await staff.handler()
        known = await staff.apply([ONE, OTHER])
        request_id = await granted_disclosure(handler, staff.ward, known[0])
        parameters = sample_parameters(known, request_id)
        addresses = {path: path.format_map(parameters) for path in page_paths(desk.staff.app)}
        async with desk.staff.browser() as stranger:
            yield Walk(handler, staff.responsible, staff.ward, stranger, addresses, known)


async def test_no_page_or_download_is_kept_by_a_cache_and_none_shows_a_person_to_who_may_not_open_one(walk: Walk):
    people = {"handler": walk.handler, "responsible": walk.responsible, "ward": walk.ward, "stranger": walk.stranger}
    shown: dict[str, set[str]] = {path: set() for path in walk.addresses}
    opened: dict[str, set[str]] = {path: set() for path in walk.addresses}
    secret = [ONE.name, ONE.address, ONE.phone, str(ONE.email)]
    for path, address in walk.addresses.items():
        for who, browser in people.items():
            answer = await browser.get(address)
            assert answer.headers.get("cache-control") == "no-store", (path, who, answer.status_code)
            assert not any(value in str(answer.headers) for value in secret), path
            if answer.status_code == 200:
                shown[path].add(who)
            if any(value in answer.text for value in secret):
                opened[path].add(who)
    assert {path for path, who in shown.items() if not who} == LEADS_ON | WITHOUT_WORK
    assert [path for path, who in shown.items() if "stranger" in who] == []
    may_open = {who for who, role in ROLES.items() if may({role}, Right.OPEN_PEOPLE)}
    assert {who for path in opened for who in opened[path]} == may_open
    found = await search(walk.handler, name="かでのこうじ")
    assert found.headers["cache-control"] == "no-store"


async def test_no_file_name_header_or_address_carries_a_person(walk: Walk):
    downloads: dict[str, str] = {}
    for path, address in walk.addresses.items():
        for browser in (walk.handler, walk.responsible, walk.ward):
            answer = await browser.get(address)
            kind = answer.headers.get("content-type", "").partition(";")[0]
            assert SOUGHT.find(path, f"{answer.url} {answer.headers}".encode()) == []
            assert answer.headers.get("x-content-type-options") == "nosniff", path
            if kind == "text/html":
                linked = " ".join(html.unescape(one) for one in ADDRESSES.findall(answer.text))
                assert SOUGHT.find(path, linked.encode()) == []
            elif answer.status_code == 200:
                downloads[path] = kind
                assert FILE_NAME.fullmatch(answer.headers["content-disposition"]), path
    assert downloads == {
        "/desk/records/{name}.pdf": "application/pdf",
        "/desk/requests/{request_id}/disclosure.pdf": "application/pdf",
    }


async def test_the_hunt_sees_a_person_in_an_address():
    """Plant a name as a careless link would have it: percent-escaped, in the query."""
    planted = f'<a href="/desk/applicants?name={quote(ONE.name)}">'
    assert SOUGHT.find("planted", " ".join(ADDRESSES.findall(planted)).encode())


async def test_pictures_and_answers_about_papers_are_kept_by_no_cache_and_named_by_ids_only(
    mongo_url: str, namespace: str, tmp_path: Path
):
    async with opened(mongo_url, namespace, tmp_path) as desk:
        paper, keyer, other = await desk.paper(), await desk.person(FIRST), await desk.person("sato-01")
        await keyer.take()
        assert (await keyer.key(paper, form(name=ONE.name, phone=ONE.phone))).status_code == 200
        await other.take()
        asked = [f"{PAPERS}/{paper}/pages/0", f"{PAPERS}/{paper}/fields", PAPERS, f"/desk/papers/{CAMPAIGN}"]
        for path in asked:
            answer = await other.client.get(path, params={"tab": other.tab})
            assert (answer.status_code, answer.headers.get("cache-control")) == (200, "no-store"), path
            assert "content-disposition" not in answer.headers
            assert SOUGHT.find(path, f"{answer.url} {answer.headers}".encode() + answer.content) == []
