"""Each change of a factor is reported by mail, written with the change and sent after a crash too (R-S3)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from httpx import AsyncClient

from services.vault.mail.session import MailServerAwayError
from services.vault.people.passkey_repository import Passkey
from services.vault.people.rules.account import StaffId
from services.vault.people.staff_mail_repository import MAILS
from tests.support.mail_server import MailServer
from tests.support.people_harness import HANDLER, PASSWORD, RESPONSIBLE, WARD, PeopleHarness, running
from tests.support.waiting import await_all, until

NEW_PASSWORD = "lantern orchard seventeen boats"
CHANGE = {"current": PASSWORD, "password": NEW_PASSWORD, "password_again": NEW_PASSWORD}


@pytest.fixture
async def vault(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[PeopleHarness]:
    async with running(mongo_url, namespace, tmp_path) as harness:
        yield harness


async def request(vault: PeopleHarness, asking: AsyncClient, approving: AsyncClient, **fields: str) -> str:
    """Return the code of an approved request."""
    assert (await asking.post("/desk/people/requests", data=fields)).status_code == 303
    (waiting,) = await vault.people.requests.waiting()
    approved = await approving.post(f"/desk/people/requests/{waiting.id}/approve")
    return approved.text.split('id="code">')[1].split("<")[0]


async def test_every_change_of_a_factor_is_reported_to_the_responsible_handler_and_the_person(vault: PeopleHarness):
    responsible, ward = await vault.set_up()
    code = await request(vault, responsible, ward, **HANDLER, kind="create")
    await vault.queued_mails()
    handler, elsewhere = vault.browser(), vault.browser()

    await vault.accept(handler, "yamada-01", code)
    assert await vault.queued_mails() == _to_both("factors-set")

    await vault.sign_in(elsewhere, "yamada-01")
    key = Passkey("id-of-a-key", StaffId("yamada-01"), b"public", 0, datetime.now(UTC))
    await vault.store.transact(lambda uow: vault.people.passkeys.repository.insert(uow, key))
    assert (await handler.post("/desk/me/passkeys/delete", data={"passkey": "no-such-key"})).status_code == 303
    assert await vault.queued_mails() == []
    assert (await elsewhere.get("/desk/me")).status_code == 200
    assert (await handler.post("/desk/me/passkeys/delete", data={"passkey": key.id})).status_code == 303
    assert await vault.queued_mails() == _to_both("passkey-removed")
    assert (await elsewhere.get("/desk/me")).status_code == 303
    assert (await handler.get("/desk/me")).status_code == 200

    assert (await handler.post("/desk/me/password", data=CHANGE)).status_code == 303
    assert await vault.queued_mails() == _to_both("password-changed")
    assert (await handler.post("/desk/me/password", data=CHANGE)).status_code == 409
    assert await vault.queued_mails() == []

    await request(vault, responsible, ward, id="yamada-01", kind="reset")
    assert await vault.queued_mails() == _to_both("factors-reset")


def _to_both(kind: str) -> list[tuple[str, str, str]]:
    return [(kind, "yamada-01", "suzuki-01"), (kind, "yamada-01", "yamada-01")]


async def test_the_ward_learns_of_a_change_of_the_responsible_handler(vault: PeopleHarness):
    responsible, _ = await vault.set_up()
    await vault.queued_mails()
    await responsible.post("/desk/me/password", data=CHANGE)
    receivers = [receiver for _, _, receiver in await vault.queued_mails()]
    assert receivers == ["mori-01", "suzuki-01"]


async def test_of_two_uses_of_one_invitation_at_once_one_changes_and_reports(vault: PeopleHarness):
    codes = await vault.first()
    first, second = vault.browser(), vault.browser()
    code = codes["responsible"]
    answers = await await_all(*(vault.accept(browser, "suzuki-01", code) for browser in (first, second)))
    assert sorted(answer.status_code for answer in answers) == [303, 401]
    assert await vault.queued_mails() == [("factors-set", "suzuki-01", "suzuki-01")]


async def test_mails_name_staff_ids_only_and_wait_for_the_mail_server(vault: PeopleHarness):
    responsible, _ = await vault.set_up()
    await vault.queued_mails()
    await responsible.post("/desk/me/password", data=CHANGE)
    async with MailServer() as server:
        port = server.port
        await server.close()
        sender = vault.mail_sender(port)
        with pytest.raises(MailServerAwayError):
            await sender.send_next()
        assert not await vault.people.mails.count_stuck()
        await _make_due(vault)
        await server.open(port)
        assert await sender.send_next()
        assert await sender.send_next()
        assert not await sender.send_next()
        sent = {mail.recipients: mail for mail in server.mails}
        await sender.send_next()
    assert sent.keys() == {(RESPONSIBLE["mail"],), (WARD["mail"],)}
    for mail in sent.values():
        text = mail.message.get_content()
        assert "suzuki-01" in text
        assert "suzuki-01" in mail.message["Subject"]
        assert "/en/desk/people" in text
        for name in (RESPONSIBLE["name"], WARD["name"], RESPONSIBLE["mail"], PASSWORD, NEW_PASSWORD):
            assert name not in text
    assert await vault.queued_mails() == []


async def test_a_mail_whose_sender_crashed_is_sent_again(vault: PeopleHarness):
    responsible, _ = await vault.set_up()
    await vault.queued_mails()
    await responsible.post("/desk/me/password", data=CHANGE)
    claimed = [await vault.people.mails.claim(60), await vault.people.mails.claim(60)]
    assert all(claimed)
    async with MailServer() as server:
        sender = vault.mail_sender(server.port)
        assert not await sender.send_next()
        await _make_due(vault)
        async with sender.running():
            await until(lambda: len(server.mails) == 2)
        await vault.queued_mails()


async def test_a_mail_that_the_server_refuses_is_kept_and_counted(vault: PeopleHarness):
    code = (await vault.first())["responsible"]
    await vault.accept(vault.browser(), "suzuki-01", code)
    account = await vault.people.accounts.find(StaffId("suzuki-01"))
    assert account is not None
    changed = replace(account.account, mail="reject-5xx@example.jp")
    await vault.store.transact(lambda uow: vault.people.accounts.replace(uow, changed))
    async with MailServer() as server:
        sender = vault.mail_sender(server.port)
        assert await sender.send_next()
        assert not await sender.send_next()
    assert await vault.people.mails.count_stuck() == 1


async def _make_due(vault: PeopleHarness) -> None:
    """Let time pass: claims run out and pauses end."""
    await vault.store.db[MAILS].update_many({}, {"$set": {"due": datetime.now(UTC)}})
