"""A handler asks for a notice once more: with a reason, one audit line, and never a third mail or card."""

import json

import pytest
from httpx import AsyncClient, Response

from services.vault.applications.act_repository import COLLECTION as ACTS
from services.vault.deliveries.repository import COLLECTION as DELIVERIES
from shared.contracts import NoticesAsked
from tests.support.identity_builders import person
from tests.support.telephone_harness import PAGE, TelephoneDesk
from tests.support.vault_parts import CAMPAIGN, Known


@pytest.fixture
async def known(desk: TelephoneDesk) -> Known:
    return (await desk.register.admit([person()]))[0]


async def deliver(desk: TelephoneDesk, known: Known, kind: str, channel: str, attempt: int, state: str) -> None:
    """Store a delivery of the mail room or the print room."""
    await desk.staff.store.db[DELIVERIES].insert_one(
        {
            "_id": f"n-{kind}:{channel}:{attempt}",
            "campaign": CAMPAIGN,
            "notice": f"n-{kind}",
            "kind": kind,
            "channel": channel,
            "attempt": attempt,
            "n": 1,
            "tokens": [known.token],
            "bulk": False,
            "params": {},
            "state": state,
        }
    )


async def ask(browser: AsyncClient, known: Known, **changed: str) -> Response:
    fields = {"notice": "result.1", "act": "send-card", "reason": "not-arrived", **changed}
    return await browser.post(f"{PAGE}/{known.application_id}/undelivered/notices", data=fields)


async def asked(desk: TelephoneDesk) -> list[tuple[str, str, int, str, str]]:
    events = await desk.register.said(NoticesAsked)
    return [
        (one.token, one.kind, one.n, one.way, one.sub)
        for event in events
        if isinstance(event, NoticesAsked)
        for one in event.items
    ]


async def test_a_mail_that_did_not_come_is_asked_for_as_a_card_with_one_audit_line(desk: TelephoneDesk, known: Known):
    await deliver(desk, known, "result", "mail", 1, "sent")
    browser = await desk.handler()
    before = await desk.end()
    assert (await ask(browser, known)).status_code == 303
    assert await asked(desk) == [(known.token, "result", 1, "card", "yamada-01")]
    [line] = [json.loads(line) for line in await desk.lines(before)]
    assert (line["action"], line["outcome"]) == ("send-card-result:undelivered", "not-arrived")
    assert line["subject"] == desk.register.keys.subject_of(known.application_id)
    page = (await browser.get(f"{PAGE}/{known.application_id}/undelivered")).text
    assert 'data-act="send-card"' in page
    assert "送信済み" in page


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"reason": ""}, "理由を選んで"),
        ({"reason": "asked-on-paper"}, "理由を選んで"),
        ({"act": "correct"}, "理由を選んで"),
        ({"notice": "offer.7"}, "まだ送られていません"),
        ({"notice": "acknowledgement.1"}, "メールだけ"),
        ({"notice": "<script>"}, "理由を選んで"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused_with_what_to_do(
    desk: TelephoneDesk, known: Known, fields: dict[str, str], text: str
):
    await deliver(desk, known, "result", "mail", 1, "sent")
    await deliver(desk, known, "acknowledgement", "mail", 1, "sent")
    browser = await desk.handler()
    refused = await ask(browser, known, **fields)
    assert refused.status_code == 422
    assert text in refused.text
    assert await asked(desk) == []
    assert await desk.staff.store.db[ACTS].count_documents({}) == 0


async def test_neither_a_third_mail_nor_a_third_card_is_asked_for(desk: TelephoneDesk, known: Known):
    await deliver(desk, known, "result", "mail", 1, "sent")
    await deliver(desk, known, "result", "mail", 2, "refused")
    await deliver(desk, known, "result", "card", 1, "printed")
    await deliver(desk, known, "result", "card", 2, "printed")
    browser = await desk.handler()
    assert (await ask(browser, known)).status_code == 422
    assert (await ask(browser, known, act="send-again")).status_code == 303
    await deliver(desk, known, "result", "mail", 3, "unknown")
    assert (await ask(browser, known, act="send-again")).status_code == 422


async def test_an_applicant_without_mail_gets_no_mail(desk: TelephoneDesk):
    [by_post] = await desk.register.admit([person(email=None)])
    await deliver(desk, by_post, "result", "card", 1, "printed")
    browser = await desk.handler()
    assert (await ask(browser, by_post, act="send-again")).status_code == 422
    assert (await ask(browser, by_post, reason="lost")).status_code == 303


async def test_the_ward_and_a_stranger_ask_for_nothing(desk: TelephoneDesk, known: Known):
    await deliver(desk, known, "result", "mail", 1, "sent")
    _, ward = await desk.staff.set_up()
    async with desk.staff.browser() as stranger:
        assert (await ask(ward, known)).status_code == 403
        assert (await ask(stranger, known)).status_code == 401
    assert await asked(desk) == []
