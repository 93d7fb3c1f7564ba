"""Notices by mail, from message to mailbox: texts, and mailboxes that refuse."""

import asyncio

from tests.support.mail_server import MailServer
from tests.support.notifier_harness import PASS_CODE, NotifierHarness, refusal


async def test_a_winner_gets_one_mail_with_all_classes_and_the_pass_code(
    harness: NotifierHarness, mta: MailServer
) -> None:
    (applicant,) = await harness.admit_people(1)
    async with harness.run_notifier():
        await harness.publish_results([applicant], "won", "waiting")
        await harness.wait_for_states(sent=1)
    (mail,) = mta.mails
    text, picture = mail.message.iter_parts()
    assert (picture.get_content_type(), picture.get_filename()) == ("image/png", "pass-1.png")
    text = text.get_content()
    assert mail.recipients == (applicant.person.email,)
    for part in (
        applicant.person.name,
        PASS_CODE,
        "ジュニアサッカー教室",
        "プレスキッズ取材体験教室",
        "当選",
        "補欠 3 番",
        "2018年6月9日",
    ):
        assert part in text
    assert "tok_" not in mail.all_text()


async def test_a_rejected_applicant_is_notified_at_once_with_the_reasons(
    harness: NotifierHarness, mta: MailServer
) -> None:
    (applicant,) = await harness.admit_people(1)
    refused = (refusal("press-kids", "grade"),)
    async with harness.run_notifier():
        await harness.publish(
            *harness.build_contacts([applicant], status="rejected", reasons=("not-resident",), refused=refused)
        )
        await harness.wait_for_states(sent=1)
    text = mta.mails[0].message.get_content()
    for part in (
        applicant.person.name,
        "区内にお住まいの方",
        "プレスキッズ取材体験教室",
        "学年が対象外",
        applicant.receipt,
    ):
        assert part in text


async def test_each_applicant_who_won_nothing_gets_one_mail_that_names_the_receipt_number(
    harness: NotifierHarness, mta: MailServer
) -> None:
    losers = await harness.admit_people(120)
    async with harness.run_notifier() as http:
        await harness.publish_results(losers, "lost", "refused")
        await harness.wait_for_states(sent=120)
        summary = (await http.get("/summary")).json()
    texts = {mail.recipients: mail.message.get_content() for mail in mta.mails}
    assert len(mta.mails) == len(texts) == summary["mails"] == 120
    for loser in losers:
        assert loser.receipt in texts[(str(loser.person.email),)]


async def test_two_children_with_one_mailbox_get_two_mails_that_each_name_one_child(
    harness: NotifierHarness, mta: MailServer
) -> None:
    mailbox = "family@m.example"
    children = await harness.admit_people(2, {0: mailbox, 1: mailbox})
    async with harness.run_notifier():
        await harness.publish_results(children, "lost")
        await harness.wait_for_states(sent=2)
    assert [mail.recipients for mail in mta.mails] == [(mailbox,), (mailbox,)]
    texts = [mail.message.get_content() for mail in mta.mails]
    for child in children:
        assert sum(child.receipt in text and child.person.name in text for text in texts) == 1


async def test_an_applicant_whose_mailbox_refuses_goes_by_post_and_the_others_get_their_mail(
    harness: NotifierHarness,
) -> None:
    bad = {7: "reject-5xx.a@m.example", 20: "reject-5xx.b@m.example", 24: "reject-5xx.c@m.example"}
    losers = await harness.admit_people(25, dict(bad))
    async with harness.run_notifier(gather_s=60) as http:
        await harness.publish_results(losers, "lost")
        await harness.wait_for_states(sent=22, to_print=3)
        listed = (await http.get("/notices")).json()["notices"]
        summary = (await http.get("/summary")).json()
    unsent = [notice for notice in listed if notice["state"] != "sent"]
    assert {notice["application_id"] for notice in unsent} == {losers[n].application_id for n in bad}
    assert {notice["code"] for notice in unsent} == {"550"}
    assert (summary["mails"], summary["bounced"]) == (22, 3)


async def test_a_mail_to_a_busy_mailbox_is_sent_again_until_it_is_taken(
    harness: NotifierHarness, mta: MailServer
) -> None:
    applicants = await harness.admit_people(3, {1: "busy-twice@m.example"})
    async with harness.run_notifier():
        await harness.publish_results(applicants, "lost")
        await harness.wait_for_states(sent=3)
    assert mta.refusals == 2
    assert sorted(len(mail.recipients) for mail in mta.mails) == [1, 1, 1]


async def test_an_applicant_whose_mailbox_stays_busy_gets_a_postcard(harness: NotifierHarness, mta: MailServer) -> None:
    applicants = await harness.admit_people(1, {0: "defer-4xx@m.example"})
    async with harness.run_notifier():
        await harness.publish_results(applicants, "won")
        await harness.wait_for_states(post=1)
    assert mta.refusals == 4


async def test_a_notice_whose_answer_is_lost_is_not_sent_again_until_a_handler_decides(
    harness: NotifierHarness, mta: MailServer
) -> None:
    applicants = await harness.admit_people(2, {0: "mute.a@m.example", 1: "mute.b@m.example"})
    async with harness.run_notifier(lease_s=0.5) as http:
        await harness.publish_results(applicants, "won")
        await harness.wait_for_states(unknown=2)
        await asyncio.sleep(1.5)
        assert (await harness.count_states()) == {"unknown": 2}
        assert len(mta.mails) == 2
        one, other = [notice["id"] for notice in (await http.get("/notices")).json()["notices"]]
        for notice, decision in ((one, "sent"), (other, "post")):
            answer = await http.post(f"/notices/{notice}/resolve", json={"decision": decision, "actor": "a-handler"})
            assert answer.status_code == 200
        again = await http.post(f"/notices/{one}/resolve", json={"decision": "post", "actor": "a-handler"})
        assert again.status_code == 409
        await harness.wait_for_states(sent=1, post=1)
    assert len(mta.mails) == 2


async def test_while_the_relay_is_unavailable_no_notice_is_lost_and_no_attempt_is_counted(
    harness: NotifierHarness, mta: MailServer
) -> None:
    applicants = await harness.admit_people(5)
    await harness.relay.server.stop()
    async with harness.run_notifier():
        await harness.publish_results(applicants, "won")
        await harness.wait_for_states(deferred=5)
        await asyncio.sleep(1)
        assert {notice.attempts for notice in (await harness.stored_notices()).values()} <= {0, 1}
    assert mta.mails == []
    assert {notice.attempts for notice in (await harness.stored_notices()).values()} == {0}


async def test_mail_waits_while_the_vault_is_locked(harness: NotifierHarness) -> None:
    applicants = await harness.admit_people(2)
    harness.vault.keystore.lock()
    async with harness.run_notifier(mail_waits_s=(30.0,)):
        await harness.publish_results(applicants, "won")
        await harness.wait_for_states(deferred=2)


async def test_a_class_of_mail_domains_gets_mail_no_faster_than_its_pace(
    harness: NotifierHarness, mta: MailServer
) -> None:
    applicants = await harness.admit_people(6)
    async with harness.run_notifier(pace_per_s={"other": 4.0}):
        started = asyncio.get_running_loop().time()
        await harness.publish_results(applicants, "won")
        await harness.wait_for_states(sent=6)
    assert asyncio.get_running_loop().time() - started >= 1.25
    assert len(mta.mails) == 6
