"""Notices by mail, from message to mailbox: who gets what, and what becomes of those whose mailbox refuses."""

import asyncio
from collections import Counter
from dataclasses import replace

from tests.support.mail_relay_harness import person
from tests.support.mail_server import MailServer
from tests.support.notifier_harness import PASS, House, refusal


async def test_a_winner_gets_one_mail_with_all_classes_and_the_pass_code(house: House, mta: MailServer) -> None:
    (known,) = await house.people(1)
    async with house.notifier():
        await house.announce([known], "won", "waiting")
        await house.settled(mailed=1)
    (mail,) = mta.mails
    text, picture = mail.message.iter_parts()
    assert (picture.get_content_type(), picture.get_filename()) == ("image/png", "pass-1.png")
    text = text.get_content()
    assert mail.recipients == (known.person.email,)
    for part in (
        known.person.name,
        PASS,
        "ジュニアサッカー教室",
        "プレスキッズ取材体験教室",
        "当選",
        "補欠 3 番",
        "2018年6月9日",
    ):
        assert part in text
    assert "tok_" not in mail.everything()


async def test_whoever_could_not_apply_hears_so_at_once_with_the_reasons(house: House, mta: MailServer) -> None:
    (known,) = await house.people(1)
    refused = (refusal("press-kids", "grade"),)
    async with house.notifier():
        await house.say(*house.contacts([known], status="rejected", reasons=("not-resident",), refused=refused))
        await house.settled(mailed=1)
    text = mta.mails[0].message.get_content()
    for part in (known.person.name, "区内にお住まいの方", "プレスキッズ取材体験教室", "学年が対象外", "W-0000-0000-0"):
        assert part in text


async def test_those_without_a_place_get_one_text_in_batches_and_nobody_twice(house: House, mta: MailServer) -> None:
    losers = await house.people(120)
    async with house.notifier() as http:
        await house.announce(losers, "lost", "refused")
        await house.settled(mailed=120)
        summary = (await http.get("/summary")).json()
    assert Counter(address for mail in mta.mails for address in mail.recipients) == {
        each.person.email: 1 for each in losers
    }
    assert max(len(mail.recipients) for mail in mta.mails) == house.campaign.bcc_batch
    assert len({mail.message.get_content() for mail in mta.mails}) == 1
    assert summary["bcc_batches"] == len(mta.mails)
    assert summary["mails"] == {"single": 0, "in_batches": 120}


async def test_a_batch_of_fifty_with_three_bad_mailboxes_delivers_47_and_reports_3(
    house: House, mta: MailServer
) -> None:
    bad = {7: "reject-5xx.a@m.example", 20: "reject-5xx.b@m.example", 49: "reject-5xx.c@m.example"}
    losers = await house.people(50, dict(bad))
    async with house.notifier(gather_s=1.0) as http:
        await house.announce(losers, "lost")
        await house.settled(mailed=47, post=3)
        shown = [each for each in (await http.get("/notices")).json()["notices"] if each["state"] != "mailed"]
        summary = (await http.get("/summary")).json()
    (mail,) = mta.mails
    assert set(mail.recipients) == {each.person.email for n, each in enumerate(losers) if n not in bad}
    assert {each["application_id"] for each in shown} == {losers[n].application_id for n in bad}
    assert {each["code"] for each in shown} == {"550"}
    assert (summary["bcc_batches"], summary["mails"]["in_batches"], summary["bounced"]) == (1, 47, 3)


async def test_a_mailbox_that_is_busy_is_tried_again_and_then_it_is_taken(house: House, mta: MailServer) -> None:
    known = await house.people(3, {1: "busy-twice@m.example"})
    async with house.notifier():
        await house.announce(known, "lost")
        await house.settled(mailed=3)
    assert mta.refusals == 2
    assert sorted(len(mail.recipients) for mail in mta.mails) == [1, 2]


async def test_a_mailbox_that_stays_busy_gets_a_postcard(house: House, mta: MailServer) -> None:
    known = await house.people(1, {0: "defer-4xx@m.example"})
    async with house.notifier():
        await house.announce(known, "won")
        await house.settled(post=1)
    assert mta.refusals == 4


async def test_a_text_refused_for_one_of_many_reaches_the_others_alone(house: House, mta: MailServer) -> None:
    """Somebody whose name stands in the text by chance must not cost the others their mail."""
    namesake = replace(person(50), name=house.campaign.office.name)
    losers = await house.people(9) + await house.vault.admit([namesake])
    async with house.notifier():
        await house.announce(losers, "lost")
        await house.settled(mailed=9, post=1)
    assert sorted(mail.recipients for mail in mta.mails) == sorted((each.person.email,) for each in losers[:9])
    notices = await house.notices()
    assert notices[losers[9].application_id]["code"] == "554"


async def test_a_lost_answer_is_unknown_and_never_sent_again_until_a_person_decides(
    house: House, mta: MailServer
) -> None:
    known = await house.people(2, {0: "mute.a@m.example", 1: "mute.b@m.example"})
    async with house.notifier(lease_s=0.5) as http:
        await house.announce(known, "won")
        await house.settled(unknown=2)
        await asyncio.sleep(1.5)
        assert (await house.states()) == {"unknown": 2}
        assert len(mta.mails) == 2
        one, other = [each["id"] for each in (await http.get("/notices")).json()["notices"]]
        for notice, decision in ((one, "mailed"), (other, "post")):
            answer = await http.post(f"/notices/{notice}/resolve", json={"decision": decision, "actor": "a-handler"})
            assert answer.status_code == 200
        again = await http.post(f"/notices/{one}/resolve", json={"decision": "post", "actor": "a-handler"})
        assert again.status_code == 409
        await house.settled(mailed=1, post=1)
    assert len(mta.mails) == 2


async def test_while_the_relay_is_away_nothing_is_lost_and_no_attempt_is_counted(house: House, mta: MailServer) -> None:
    known = await house.people(5)
    await house.door.relay.stop()
    async with house.notifier():
        await house.announce(known, "won")
        await house.settled(deferred=5)
        await asyncio.sleep(1)
        assert {each["attempts"] for each in (await house.notices()).values()} <= {0, 1}
    assert mta.mails == []
    assert {each["attempts"] for each in (await house.notices()).values()} == {0}


async def test_while_the_vault_is_sealed_mail_waits(house: House) -> None:
    known = await house.people(2)
    house.vault.keystore.lock()
    async with house.notifier(mail_waits_s=(30.0,)):
        await house.announce(known, "won")
        await house.settled(deferred=2)


async def test_a_receiver_that_wants_to_be_written_to_slowly_is(house: House, mta: MailServer) -> None:
    known = await house.people(6)
    async with house.notifier(pace_per_s={"other": 4.0}):
        started = asyncio.get_running_loop().time()
        await house.announce(known, "won")
        await house.settled(mailed=6)
    assert asyncio.get_running_loop().time() - started >= 1.25
    assert len(mta.mails) == 6
