"""Cases of issue 12 §5: laptops are stolen, telephones lost, people leave or fall ill, strangers guess."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response
from pyotp import TOTP

from services.vault.people.code_repository import CODES
from services.vault.people.repository import ACCOUNTS
from services.vault.people.rules.account import StaffId
from tests.support.people_harness import HANDLER, LOTTERY, PeopleHarness, restarted
from tests.support.people_installation import Installation, vault_and_lottery
from tests.support.waiting import await_all

OTHER_PASSWORD = "lantern orchard seventeen boats"


@pytest.fixture
async def installation(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Installation]:
    async with vault_and_lottery(mongo_url, namespace, tmp_path) as started:
        yield started


def sids(page: str) -> list[str]:
    return re.findall(r'name="sid" value="([^"]+)"', page)


async def status(browser: AsyncClient, path: str) -> int:
    return (await browser.get(path)).status_code


async def test_a_session_that_its_person_ends_ends_elsewhere_too_and_the_others_go_on(installation: Installation):
    vault = installation.vault
    laptop, _ = await vault.set_up()
    office = vault.browser()
    await vault.sign_in(office, "suzuki-01")
    laptop_there, office_there = await installation.at_lottery(laptop), await installation.at_lottery(office)
    assert (await laptop_there.get("/who")).json() == "suzuki-01"
    newest, oldest = sids((await office.get("/desk/me")).text)
    assert newest != oldest

    await office.post("/desk/me/sessions/end", data={"sid": oldest})
    await installation.deliver()

    assert await status(laptop, "/desk/me") == 303
    assert await status(laptop_there, "/who") == 401
    assert await status(office_there, "/who") == 200
    assert await status(office, "/desk/me") == 200


async def test_an_assertion_of_an_ended_session_signs_in_no_longer(installation: Installation):
    laptop, _ = await installation.vault.set_up()
    browser = AsyncClient(transport=ASGITransport(installation.lottery), base_url=LOTTERY, timeout=30)
    asked = await browser.get("/sign-in?next=/who")
    taken_along = (await laptop.get(asked.headers["location"])).headers["location"]

    await laptop.post("/sign-out")
    await installation.deliver()

    assert await status(browser, taken_along) == 403
    assert await status(browser, "/who") == 401


@pytest.mark.parametrize("helper", ["responsible", "ward"])
async def test_a_stolen_laptop_is_signed_out_everywhere_by_one_other_person(installation: Installation, helper: str):
    vault = installation.vault
    responsible, ward = await vault.set_up()
    stolen = await handler_of(vault, responsible, ward)
    stolen_there = await installation.at_lottery(stolen)
    acting = {"responsible": responsible, "ward": ward}[helper]

    ended = await acting.post("/desk/people/sessions/end", data={"id": "yamada-01"})
    await installation.deliver()

    assert ended.status_code == 200
    assert 'id="sessions-ended"' in ended.text
    assert await status(stolen, "/desk/me") == 303
    assert await status(stolen_there, "/who") == 401
    assert await status(acting, "/desk/me") == 200
    last = (await vault.audit.lines(0))[-1]
    assert "end-sessions" in last
    assert "yamada-01" in last


async def test_a_handler_ends_the_sessions_of_no_other_person(installation: Installation):
    vault = installation.vault
    responsible, ward = await vault.set_up()
    handler = await handler_of(vault, responsible, ward)
    refused = await handler.post("/desk/people/sessions/end", data={"id": "suzuki-01"})
    unknown = await ward.post("/desk/people/sessions/end", data={"id": "absent-01"})
    assert (refused.status_code, unknown.status_code) == (409, 409)
    assert await status(responsible, "/desk/me") == 200


async def handler_of(vault: PeopleHarness, responsible: AsyncClient, ward: AsyncClient, **fields: Any) -> AsyncClient:
    """Return the browser of a handler whose account the two made."""
    proposal = {**HANDLER, "tasks": "開封、入力", **fields, "kind": "create"}
    handler = vault.browser()
    await vault.accept(handler, proposal["id"], await decided(vault, responsible, ward, proposal))
    return handler


async def decided(vault: PeopleHarness, asking: AsyncClient, approving: AsyncClient, proposal: dict[str, str]) -> str:
    """Return the invitation code of a request that one browser sends and the other approves."""
    asked = await asking.post("/desk/people/requests", data=proposal)
    assert asked.status_code == 303, asked.text
    (request,) = await vault.people.requests.waiting()
    approved = await approving.post(f"/desk/people/requests/{request.id}/approve")
    assert approved.status_code == 200, approved.text
    code = re.search(r'id="code">([^<]+)<', approved.text)
    return code[1] if code else ""


async def test_the_roster_shows_everything_about_a_handler_that_is_asked_for(installation: Installation):
    vault = installation.vault
    responsible, ward = await vault.set_up()
    await handler_of(vault, responsible, ward)
    roster = (await ward.get("/desk/people")).text
    row = roster[roster.index('data-account="yamada-01"') :]
    for shown in (
        "山田太郎", "株式会社くじ", "yamada@example.jp", "取扱者", "2018-05-15", "2018-06-22", "開封、入力",
        "個人情報保護研修", "2018-05-10", "2019-03-31", "田中一郎", "2018-05-11", "有効",
    ):  # fmt: skip
        assert shown in row, shown


async def test_a_handler_who_leaves_is_out_everywhere_and_nothing_more_happens_in_that_name(installation: Installation):
    vault = installation.vault
    responsible, ward = await vault.set_up()
    leaver = await handler_of(vault, responsible, ward)
    leaver_there = await installation.at_lottery(leaver)
    await leaver.post("/desk/people/requests", data={"id": "suzuki-01", "kind": "reset"})
    (left_behind,) = await vault.people.requests.waiting()

    await ward.post("/desk/people/requests", data={"id": "yamada-01", "kind": "end"})
    ending = next(request for request in await vault.people.requests.waiting() if request.account == "yamada-01")
    await responsible.post(f"/desk/people/requests/{ending.id}/approve")
    await installation.deliver()

    assert await status(leaver, "/desk/me") == 303
    assert await status(leaver_there, "/who") == 401
    assert (await vault.sign_in(leaver, "yamada-01")).status_code == 401
    assert (await ward.post(f"/desk/people/requests/{left_behind.id}/approve")).status_code == 409
    assert await status(responsible, "/desk/me") == 200


async def test_a_handler_substitutes_for_the_only_responsible_handler_who_is_ill(installation: Installation):
    vault = installation.vault
    responsible, ward = await vault.set_up()
    handler = await handler_of(vault, responsible, ward)
    assert 'data-alone="responsible"' in (await ward.get("/desk/people")).text
    await vault.queued_mails()

    substitute = {"id": "yamada-01", "kind": "substitute"}
    assert (await ward.post("/desk/people/requests", data=substitute)).status_code == 409
    await decided(vault, handler, ward, substitute)

    assert await status(handler, "/desk/me") == 303, "the new role asks for a new sign-in"
    assert {to for _, _, to in await vault.queued_mails()} == {"suzuki-01", "mori-01", "yamada-01"}
    await vault.sign_in(handler, "yamada-01")
    further = {**HANDLER, "id": "kato-01", "kind": "create"}
    assert await decided(vault, handler, ward, further)
    assert 'data-alone="responsible"' not in (await ward.get("/desk/people")).text
    assert (await handler.post("/desk/people/requests", data=substitute)).status_code == 409


async def test_a_lost_telephone_opens_nothing_once_its_reset_is_approved(installation: Installation):
    vault = installation.vault
    responsible, ward = await vault.set_up()
    handler = await handler_of(vault, responsible, ward)
    code_on_the_telephone = await vault.fresh_code("yamada-01")

    invitation = await decided(vault, responsible, ward, {"id": "yamada-01", "kind": "reset"})

    finder = vault.browser()
    assert await status(handler, "/desk/me") == 303
    assert (await vault.sign_in(finder, "yamada-01", code=code_on_the_telephone)).status_code == 401
    assert (await vault.accept(handler, "yamada-01", invitation, OTHER_PASSWORD)).status_code == 303
    known = {"password": OTHER_PASSWORD, "code": code_on_the_telephone}
    assert (await vault.sign_in(finder, "yamada-01", **known)).status_code == 401


async def test_clocks_that_differ_leave_no_session_open_and_lock_nobody_out(installation: Installation):
    vault = installation.vault
    responsible, _ = await vault.set_up()
    there = await installation.at_lottery(responsible)
    ahead = datetime.now(UTC) + timedelta(seconds=90)
    for store, person in ((vault.store, "account"), (installation.store, "sub")):
        await store.db["staff_sessions"].update_many({person: "suzuki-01"}, {"$set": {"auth_time": ahead}})
    await vault.store.db[ACCOUNTS].update_one({"_id": "suzuki-01"}, {"$set": {"last_sign_in": ahead}})

    await responsible.post("/desk/people/sessions/end", data={"id": "suzuki-01"})
    await installation.deliver()

    assert await status(responsible, "/desk/me") == 303
    assert await status(there, "/who") == 401
    assert (await vault.sign_in(responsible, "suzuki-01")).status_code == 303
    assert await status(responsible, "/desk/me") == 200
    assert (await (await installation.at_lottery(responsible)).get("/who")).json() == "suzuki-01"
    (session,) = await vault.people.sessions.of(StaffId("suzuki-01"))
    assert session.until < datetime.now(UTC) + timedelta(hours=12, seconds=1)


@pytest.mark.parametrize("decision", ["approve", "refuse"])
async def test_of_two_decisions_at_the_same_moment_one_counts(installation: Installation, decision: str):
    vault = installation.vault
    responsible, ward = await vault.set_up()
    second = await handler_of(vault, responsible, ward, id="kato-01", roles="ward")
    await responsible.post("/desk/people/requests", data={**HANDLER, "kind": "create"})
    (request,) = await vault.people.requests.waiting()
    path = f"/desk/people/requests/{request.id}"
    first, other = await await_all(ward.post(f"{path}/approve"), second.post(f"{path}/{decision}"))
    assert sorted(answer.status_code // 100 for answer in (first, other)) in ([2, 4], [3, 4])
    assert await vault.people.requests.waiting() == []
    codes = await vault.store.db[CODES].count_documents({"account": "yamada-01"})
    assert codes == (1 if first.status_code == 200 or decision == "approve" else 0)


async def test_a_restart_of_the_vault_loses_no_session_request_or_invitation(
    installation: Installation, tmp_path: Path
):
    vault = installation.vault
    codes = await vault.first()
    responsible, ward = vault.browser(), vault.browser()
    await vault.accept(responsible, "suzuki-01", codes["responsible"])

    vault = await restarted(vault, tmp_path)

    after, ward = vault.browser(), vault.browser()
    after.cookies = responsible.cookies
    assert await status(after, "/desk/me") == 200
    assert (await vault.accept(ward, "mori-01", codes["ward"])).status_code == 303
    await after.post("/desk/people/requests", data={**HANDLER, "kind": "create"})
    (request,) = await vault.people.requests.waiting()

    vault = await restarted(vault, tmp_path)

    second = vault.browser()
    second.cookies = ward.cookies
    approved = await second.post(f"/desk/people/requests/{request.id}/approve")
    assert approved.status_code == 200
    assert 'id="code"' in approved.text


async def test_an_invitation_that_the_wrong_person_opened_helps_that_person_to_nothing(installation: Installation):
    vault = installation.vault
    code = (await vault.first())["responsible"]
    stranger, person = vault.browser(), vault.browser()
    seen = re.search(r'id="secret">([A-Z2-7 ]+)<', (await open_invitation(stranger, code)).text)
    page = await open_invitation(person, code)
    assert seen is not None
    assert seen[1] not in page.text
    assert 'id="opened-before"' in page.text

    assert (await vault.accept(person, "suzuki-01", code)).status_code == 303

    taken = TOTP(seen[1].replace(" ", "")).now()
    assert (await vault.sign_in(stranger, "suzuki-01", code=taken)).status_code == 401
    assert (await open_invitation(stranger, code)).status_code == 401


async def open_invitation(browser: AsyncClient, code: str) -> Response:
    return await browser.post("/sign-in/invitation", data={"id": "suzuki-01", "code": code})
