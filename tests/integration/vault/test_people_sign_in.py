"""People get accounts, choose their own factors, and sign in; nothing else admits anybody (R-S1, R-S3, R-S6)."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from services.vault.people.code_repository import CODES
from services.vault.people.passkey_repository import Passkey
from services.vault.people.rules.account import StaffId
from services.vault.people.session_repository import SESSIONS
from tests.support.people_harness import HANDLER, PASSWORD, SETUP_TOKEN, PeopleHarness, later, running


@pytest.fixture
async def vault(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[PeopleHarness]:
    async with running(mongo_url, namespace, tmp_path) as harness:
        yield harness


async def test_the_first_two_people_choose_their_own_factors_and_sign_in(vault: PeopleHarness):
    responsible, ward = await vault.set_up()
    me = await responsible.get("/desk/me")
    assert me.status_code == 200
    assert "鈴木花子" in me.text
    assert (await ward.get("/en/desk/me")).status_code == 200
    assert await vault.people.roster.is_set_up()
    async with vault.browser() as again:
        assert (await vault.sign_in(again, "suzuki-01")).headers["location"] == "/desk/me"
        assert (await again.get("/desk/me")).status_code == 200
    flags = (await vault.sign_in(vault.browser(), "suzuki-01")).headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=lax" in flags


async def test_a_sign_in_leads_back_to_the_page_with_its_query(vault: PeopleHarness):
    await vault.set_up()
    wanted = "/desk/me?kind=redraw&reason=wrong-list"
    async with vault.browser() as browser:
        asked = await browser.get(wanted)
        (target,) = parse_qs(urlsplit(asked.headers["location"]).query)["next"]
        assert target == wanted
        assert (await vault.sign_in(browser, "suzuki-01", next=target)).headers["location"] == wanted


async def test_the_first_accounts_are_made_once(vault: PeopleHarness):
    await vault.first()
    headers = {"authorization": f"Bearer {SETUP_TOKEN}"}
    body = {"responsible": {**HANDLER, "id": "other-01"}, "ward": {**HANDLER, "id": "other-02"}}
    async with vault.browser() as setup:
        assert (await setup.post("/v1/people/first", json=body, headers=headers)).status_code == 409
        assert (await setup.post("/v1/people/first", json=body)).status_code == 401


async def test_until_both_have_signed_in_nothing_else_works(vault: PeopleHarness):
    codes = await vault.first()
    async with vault.browser() as responsible:
        assert (await vault.accept(responsible, "suzuki-01", codes["responsible"])).status_code == 303
        asked = await responsible.post("/desk/people/requests", data={**HANDLER, "kind": "create"})
        assert asked.status_code == 409
        assert "最初の二人" in asked.text


async def test_a_further_account_needs_two_people_in_two_roles(vault: PeopleHarness):
    responsible, ward = await vault.set_up()
    asked = await responsible.post("/desk/people/requests", data={**HANDLER, "kind": "create"})
    assert asked.status_code == 303, asked.text
    (request,) = await vault.people.requests.waiting()
    path = f"/desk/people/requests/{request.id}/approve"
    assert (await responsible.post(path)).status_code == 409
    approved = await ward.post(path)
    assert approved.status_code == 200
    code = approved.text.split('id="code">')[1].split("<")[0]
    assert (await ward.post(path)).status_code == 409
    async with vault.browser() as handler:
        assert (await vault.accept(handler, "yamada-01", code)).status_code == 303
        assert "山田太郎" in (await handler.get("/desk/me")).text
        assert (await handler.post("/desk/people/requests", data={**HANDLER, "kind": "create"})).status_code == 409


async def test_nothing_is_asked_that_nobody_can_approve(vault: PeopleHarness):
    responsible, ward = await vault.set_up()
    asked = await responsible.post("/desk/people/requests", data={"id": "mori-01", "kind": "reset"})
    assert asked.status_code == 409
    assert "承認できる人がいない" in asked.text
    assert await vault.people.requests.waiting() == []
    assert (await ward.get("/desk/people")).status_code == 200


async def test_an_invitation_opens_for_its_own_person_only_and_only_once(vault: PeopleHarness):
    codes = await vault.first()
    async with vault.browser() as stranger, vault.browser() as person:
        wrong = {"id": "mori-01", "code": codes["responsible"]}
        assert (await stranger.post("/sign-in/invitation", data=wrong)).status_code == 401
        await vault.store.db[CODES].update_many({"account": "mori-01"}, {"$set": {"expires": later(0)}})
        expired = {"id": "mori-01", "code": codes["ward"]}
        assert (await stranger.post("/sign-in/invitation", data=expired)).status_code == 401
        assert (await vault.accept(person, "suzuki-01", codes["responsible"])).status_code == 303
        used = {"id": "suzuki-01", "code": codes["responsible"]}
        assert (await stranger.post("/sign-in/invitation", data=used)).status_code == 401


async def test_a_weak_password_is_refused_with_its_reason_and_the_invitation_stays(vault: PeopleHarness):
    codes = await vault.first()
    async with vault.browser() as person:
        refused = await vault.accept(person, "suzuki-01", codes["responsible"], "password1234567")
        assert refused.status_code == 401
        assert "よく使われる" in refused.text
        assert (await vault.accept(person, "suzuki-01", codes["responsible"])).status_code == 303


async def test_wrong_factors_are_refused_alike(vault: PeopleHarness):
    await vault.set_up()
    wrong = ({"password": PASSWORD + " "}, {"code": "000000"}, {"id": "nobody-01"}, {"id": ""})
    async with vault.browser() as browser:
        for changed in wrong:
            refused = await vault.sign_in(browser, "suzuki-01", **changed)
            assert refused.status_code == 401
            assert "どれかが正しくありません" in refused.text
            assert "set-cookie" not in refused.headers


async def test_outside_the_period_no_sign_in_and_open_sessions_end(vault: PeopleHarness):
    responsible, _ = await vault.set_up()
    vault.clock.at = later(40)
    assert (await responsible.get("/desk/me")).status_code == 303
    async with vault.browser() as browser:
        assert (await vault.sign_in(browser, "suzuki-01")).status_code == 401
    await vault.people.duty.check_all()
    last = (await vault.changes())[-1]
    assert last.roles == ()
    assert await vault.store.db[SESSIONS].count_documents({}) == 0


async def test_a_session_ends_when_it_is_idle_and_by_signing_out(vault: PeopleHarness):
    responsible, ward = await vault.set_up()
    assert (await responsible.post("/sign-out")).status_code == 303
    assert (await responsible.get("/desk/me")).status_code == 303
    await vault.store.db[SESSIONS].update_many({}, {"$set": {"last_seen": later(0)}})
    assert (await ward.get("/desk/me")).status_code == 303


async def test_names_factors_and_codes_lie_encrypted_or_hashed(vault: PeopleHarness):
    codes = await vault.first()
    async with vault.browser() as person:
        await vault.accept(person, "suzuki-01", codes["responsible"])
        stored = await vault.stored()
        secret = next(iter(person.cookies.jar)).value
    bare = [code.replace("-", "") for code in codes.values()]
    for text in ("鈴木花子", "suzuki@example.jp", PASSWORD, *codes.values(), *bare, secret):
        assert str(text) not in stored
    assert "argon2" not in stored


async def test_an_account_that_ends_signs_its_person_out(vault: PeopleHarness):
    responsible, ward = await vault.set_up()
    await responsible.post("/desk/people/requests", data={**HANDLER, "kind": "create"})
    (request,) = await vault.people.requests.waiting()
    approved = await ward.post(f"/desk/people/requests/{request.id}/approve")
    handler = vault.browser()
    await vault.accept(handler, "yamada-01", approved.text.split('id="code">')[1].split("<")[0])
    assert (await handler.get("/desk/me")).status_code == 200
    await ward.post("/desk/people/requests", data={"id": "yamada-01", "kind": "end"})
    (request,) = await vault.people.requests.waiting()
    assert (await responsible.post(f"/desk/people/requests/{request.id}/approve")).status_code == 200
    assert (await handler.get("/desk/me")).status_code == 303
    assert (await vault.changes())[-1].roles == ()


async def test_a_reset_leaves_the_choice_of_factors_to_the_person(vault: PeopleHarness):
    responsible, ward = await vault.set_up()
    await responsible.post("/desk/people/requests", data={**HANDLER, "kind": "create"})
    (request,) = await vault.people.requests.waiting()
    approved = await ward.post(f"/desk/people/requests/{request.id}/approve")
    handler = vault.browser()
    await vault.accept(handler, "yamada-01", approved.text.split('id="code">')[1].split("<")[0])
    lost = Passkey("lost-passkey", StaffId("suzuki-01"), b"key", 0, later(0))
    await vault.store.transact(lambda uow: vault.people.passkeys.repository.insert(uow, lost))
    assert (await handler.post("/desk/people/requests", data={"id": "suzuki-01", "kind": "reset"})).status_code == 303
    (request,) = await vault.people.requests.waiting()
    approved = await ward.post(f"/desk/people/requests/{request.id}/approve")
    assert (await responsible.get("/desk/me")).status_code == 303
    assert (await vault.sign_in(vault.browser(), "suzuki-01")).status_code == 401
    code, other_password = approved.text.split('id="code">')[1].split("<")[0], "lantern orchard seventeen boats"
    assert (await vault.accept(vault.browser(), "suzuki-01", code, other_password)).status_code == 303
    assert (await vault.sign_in(vault.browser(), "suzuki-01")).status_code == 401
    assert (await vault.sign_in(vault.browser(), "suzuki-01", password=other_password)).status_code == 303
    assert await vault.people.passkeys.repository.of(StaffId("suzuki-01")) == []


async def test_a_person_changes_the_own_password_with_the_present_one(vault: PeopleHarness):
    responsible, _ = await vault.set_up()
    elsewhere, new = vault.browser(), "lantern orchard seventeen boats"
    assert (await vault.sign_in(elsewhere, "suzuki-01")).status_code == 303
    fields = {"current": PASSWORD, "password": new, "password_again": new}
    for wrong in ({"current": "wrong"}, {"password": "short"}, {"password_again": new + "x"}):
        assert (await responsible.post("/desk/me/password", data={**fields, **wrong})).status_code == 409
    assert (await responsible.post("/desk/me/password", data=fields)).status_code == 303
    assert (await responsible.get("/desk/me")).status_code == 200
    assert (await elsewhere.get("/desk/me")).status_code == 303
    assert (await vault.sign_in(elsewhere, "suzuki-01")).status_code == 401
    assert (await vault.sign_in(elsewhere, "suzuki-01", password=new)).status_code == 303
    lines = "".join(await vault.audit.lines(0))
    assert '"set-factors"' in lines
    assert lines.count('"change-password"') == 1
