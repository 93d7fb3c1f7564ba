"""The print room on a real database: notice documents become pages that only a recorded opening shows."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pypdfium2
import pytest
from fastapi import FastAPI

from services.vault.deliveries.repository import COLLECTION
from services.vault.identities.person import AS_DRAWN, Person
from services.vault.identities.reveal import PurposeNotAllowedError
from services.vault.printroom import repository as print_repository
from services.vault.printroom.endpoints import print_router
from services.vault.printroom.open_batches import PrintedBatches
from services.vault.printroom.room import PrintRoom
from shared.approvals import ApprovalId
from shared.codes import entry_number, format_code
from shared.contracts import NoticeDocument, PrintCompleted, PrintRequested
from shared.ids import BatchId, new_token
from shared.paging import PageRequest
from shared.staff_roles import Role
from shared.typesetting import Typesetter
from shared.web import install_problems
from tests.support.approval_gate import KnownApprovals
from tests.support.mail_room_harness import MailDesk, mail_desk, sign_slip
from tests.support.staff_sign_in import sign_in_at, staff_access
from tests.support.vault_parts import Known, Parts

PEOPLE = [
    Person("髙﨑 花子", "1600021", "東京都新宿区歌舞伎町1-4-1 青葉荘2号", "0311112222", None, "p3", None, "髙﨑 太郎"),
    Person("𠮷田 一郎", "1600023", "新宿区西新宿2丁目8番1号", "0333334444", 34, None, None, None),
]
BATCH = BatchId("batch-1")


@pytest.fixture
async def desk(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[MailDesk]:
    async with mail_desk(mongo_url, namespace, tmp_path, 1, *print_repository.collections()) as one:
        await one.release("result", "card")
        yield one


@pytest.fixture
def vault(desk: MailDesk) -> Parts:
    return desk.vault


def print_room(desk: MailDesk, vault: Parts | None = None) -> PrintRoom:
    vault = vault or desk.vault
    return PrintRoom(
        vault.store,
        vault.identities,
        vault.keystore,
        vault.audit,
        vault.campaigns,
        vault.clock,
        Typesetter(),
        desk.acceptance,
        desk.templates,
    )


def printed(vault: Parts, gate: KnownApprovals | None = None) -> PrintedBatches:
    return PrintedBatches(vault.store, vault.keystore, vault.audit, gate or KnownApprovals())


async def opened(vault: Parts, batch: BatchId) -> bytes | None:
    """Open a batch with an approval."""
    return await printed(vault).pdf(vault.campaign.id, batch, ApprovalId("a-" + "0" * 20), "a-handler")


def card(desk: MailDesk, known: Known, **changes: Any) -> NoticeDocument:
    """Return the order of a card with the result."""
    return desk.result(known, **({"channel": "card"} | changes))


async def ordered(
    desk: MailDesk, *documents: NoticeDocument, batch: BatchId = BATCH, vault: Parts | None = None
) -> PrintCompleted:
    """Order a batch and return the last answer."""
    event = PrintRequested(campaign=desk.vault.campaign.id, batch_id=batch, items=documents)
    await desk.vault.store.transact(lambda uow: print_room(desk, vault).on_requested([event], uow))
    done = (await desk.vault.said(PrintCompleted))[-1]
    assert isinstance(done, PrintCompleted)
    return done


def reasons(done: PrintCompleted) -> list[tuple[str, str]]:
    """Return notice and reason of each card that was not printed."""
    return [(failure.notice_id, failure.reason) for failure in done.failed]


async def test_documents_become_two_pages_a_person(desk: MailDesk) -> None:
    known = await desk.vault.admit(PEOPLE)
    documents = [card(desk, one) for one in known]
    done = await ordered(desk, *documents)
    pdf = await opened(desk.vault, BATCH)
    assert pdf is not None
    assert (done.pages, done.printed, done.failed) == (4, tuple(document.notice for document in documents), ())
    with pypdfium2.PdfDocument(pdf) as document:
        first = document[0].get_textpage().get_text_range()
        result = document[3].get_textpage().get_text_range()
    assert "髙﨑 花子" in first
    assert known[1].receipt in result


async def test_a_sealed_card_tells_a_paper_applicant_the_code_and_an_open_postcard_tells_nobody(desk: MailDesk) -> None:
    known, by_web = await desk.vault.admit(PEOPLE)
    await desk.vault.store.db["applications"].update_one({"_id": known.application_id}, {"$set": {"channel": "fax"}})
    await desk.release("acknowledgement", "card")
    code, number = format_code(known.code), entry_number(known.entry)
    inside = {}
    for form in ("sealed", "open"):
        vault = replace(desk.vault, campaign=desk.vault.campaign.model_copy(update={"post": form}))
        batch = BatchId(f"batch-{form}")
        orders = [
            card(desk, one, kind="acknowledgement", n=1, slip=None, attempt=1 if form == "sealed" else 2)
            for one in (known, by_web)
        ]
        assert len((await ordered(desk, *orders, batch=batch, vault=vault)).printed) == 2
        pdf = await opened(vault, batch)
        assert pdf is not None
        with pypdfium2.PdfDocument(pdf) as document:
            inside[form] = [page.get_textpage().get_text_range() for page in document]
    assert [(code in page, number in page) for page in inside["sealed"]] == [
        (False, False),
        (True, True),
        (False, False),
        (False, False),
    ]
    assert entry_number(by_web.entry) in inside["sealed"][3]
    everywhere = "".join(inside["open"]) + inside["sealed"][3]
    assert all(format_code(one.code) not in everywhere for one in (known, by_web))
    assert not any(entry_number(one.entry) in page for one in (known, by_web) for page in inside["open"])


async def test_a_batch_of_one_card_is_printed(desk: MailDesk) -> None:
    (known,) = await desk.vault.admit(PEOPLE[:1])
    document = card(desk, known)
    assert (await ordered(desk, document)).printed == (document.notice,)


async def test_the_answer_is_the_same_for_cards_of_different_people(desk: MailDesk) -> None:
    """Check that an answer tells nothing of the card's content, of which the notifier could try guesses."""
    answers = []
    for number, known in enumerate(await desk.vault.admit(PEOPLE)):
        document = card(desk, known)
        done = await ordered(desk, document, batch=BatchId(f"batch-{number}"))
        answers.append(done.to_json().decode().replace(document.notice, "n").replace(f"batch-{number}", "b"))
    assert answers[0] == answers[1]


async def test_documents_with_flaws_fail_and_the_others_are_printed(desk: MailDesk) -> None:
    known, other = await desk.vault.admit(PEOPLE)
    good, unknown = card(desk, known), card(desk, known, token=new_token())
    foreign = card(desk, other, slip=sign_slip(desk.vault, known))
    unreleased = card(desk, other, kind="acknowledgement", n=1, slip=None)
    mail = desk.result(other)
    done = await ordered(desk, unknown, good, foreign, unreleased, mail)
    assert (done.pages, done.printed) == (2, (good.notice,))
    assert reasons(done) == [
        (unknown.notice, "invalid"),
        (foreign.notice, "invalid"),
        (unreleased.notice, "not-released"),
        (mail.notice, "invalid"),
    ]


async def test_an_older_slip_is_superseded(desk: MailDesk) -> None:
    (known,) = await desk.vault.admit(PEOPLE[:1])
    await ordered(desk, card(desk, known, n=2_000_000, slip=sign_slip(desk.vault, known, 2_000_000)))
    old = card(desk, known)
    assert reasons(await ordered(desk, old, batch=BatchId("batch-2"))) == [(old.notice, "superseded")]


async def test_an_applicant_gets_two_cards_of_one_number_at_most(desk: MailDesk) -> None:
    (known,) = await desk.vault.admit(PEOPLE[:1])
    cards = [card(desk, known, attempt=attempt) for attempt in (1, 2, 3)]
    done = await ordered(desk, *cards)
    assert done.printed == tuple(document.notice for document in cards[:2])
    assert reasons(done) == [(cards[2].notice, "invalid")]


async def test_a_name_that_no_font_here_can_print_fails_instead_of_going_out_as_boxes(desk: MailDesk) -> None:
    hangul = Person("김 한국", "1600021", "新宿区歌舞伎町1-4-1", "0311112222", 40, None, None, None)
    first, second = [card(desk, one) for one in await desk.vault.admit([hangul, PEOPLE[1]])]
    done = await ordered(desk, first, second)
    assert reasons(done) == [(first.notice, "not-printable")]
    assert (done.printed, done.pages) == ((second.notice,), 2)


async def test_a_name_keyed_as_drawn_is_addressed_by_hand_and_never_printed_with_a_mark(desk: MailDesk) -> None:
    drawn = Person(f"山{AS_DRAWN}一郎", "1600021", "新宿区歌舞伎町1-4-1", "0311112222", 40, None, None, None)
    first, second = [card(desk, one) for one in await desk.vault.admit([drawn, PEOPLE[1]])]
    done = await ordered(desk, first, second)
    assert reasons(done) == [(first.notice, "not-printable")]
    assert done.printed == (second.notice,)


async def test_a_repeated_order_is_printed_once_and_answered_alike(desk: MailDesk) -> None:
    documents = [card(desk, one) for one in await desk.vault.admit(PEOPLE)]
    assert await ordered(desk, *documents) == await ordered(desk, *documents)
    assert len(await printed(desk.vault).of(desk.vault.campaign.id, PageRequest())) == 1
    assert await desk.vault.store.db[COLLECTION].count_documents({"state": "printed"}) == len(documents)


async def test_a_card_of_an_earlier_batch_is_not_printed_again(desk: MailDesk) -> None:
    (known,) = await desk.vault.admit(PEOPLE[:1])
    document = card(desk, known)
    await ordered(desk, document)
    assert reasons(await ordered(desk, document, batch=BatchId("batch-2"))) == [(document.notice, "invalid")]


async def test_neither_people_nor_pages_lie_in_the_database_in_the_clear(desk: MailDesk, vault: Parts) -> None:
    known = await vault.admit(PEOPLE)
    await ordered(desk, *(card(desk, each) for each in known))
    kept = repr([document async for document in vault.store.db[print_repository.CHUNKS].find()])
    kept += repr([document async for document in vault.store.db[print_repository.BATCHES].find()])
    assert "%PDF" not in kept
    assert "髙﨑" not in kept
    assert repr("髙﨑".encode())[2:-1] not in kept


async def test_a_batch_put_under_another_name_does_not_open(desk: MailDesk, vault: Parts) -> None:
    known = await vault.admit(PEOPLE)
    await ordered(desk, *(card(desk, each) for each in known))
    document = await vault.store.db[print_repository.BATCHES].find_one({"_id": BATCH})
    assert document is not None
    await vault.store.db[print_repository.BATCHES].insert_one(document | {"_id": "other"})
    await vault.store.db[print_repository.CHUNKS].update_many({}, {"$set": {"batch": "other"}})
    with pytest.raises(Exception, match="does not open"):
        await opened(vault, BatchId("other"))


async def test_every_reading_and_every_opening_is_written_down_with_its_purpose(desk: MailDesk, vault: Parts) -> None:
    known = await vault.admit(PEOPLE)
    await ordered(desk, *(card(desk, each) for each in known))
    await opened(vault, BATCH)
    lines = [json.loads(line) for line in (await vault.audited()).splitlines()]
    assert [line["action"] for line in lines] == [f"reveal:batch:{BATCH}"] * 2 + [f"open-print-batch:{BATCH}"]
    assert {line["purpose"] for line in lines} == {"print"}
    assert lines[-1]["actor"] == "a-handler+responsible-1"


async def test_a_campaign_that_does_not_allow_printing_prints_nothing(desk: MailDesk, vault: Parts) -> None:
    (known,) = await vault.admit(PEOPLE[:1])
    forbidding = vault.allowing(frozenset({"intake"}))
    with pytest.raises(PurposeNotAllowedError):
        await ordered(desk, card(desk, known), vault=forbidding)
    assert await printed(vault).of(vault.campaign.id, PageRequest()) == []


async def test_pages_are_fetched_once_with_an_approval_of_this_batch(
    desk: MailDesk, vault: Parts, tmp_path: Path
) -> None:
    known = await vault.admit(PEOPLE)
    done = await ordered(desk, *(card(desk, each) for each in known))
    app, gate = FastAPI(), KnownApprovals()
    install_problems(app)
    access = staff_access("vault", vault.store, tmp_path)
    app.include_router(print_router(vault.campaigns, printed(vault, gate), access))
    root = f"/v1/campaigns/{vault.campaign.id}/print-batches"
    staff = await sign_in_at(vault.store, "vault", "a.sato", {Role.HANDLER})
    other = await sign_in_at(vault.store, "vault", "b.kato", {Role.AUDITOR})
    params = await printed(vault).params(vault.campaign.id, {"batch": BATCH})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://vault", headers=staff) as client:
        (shown,) = (await client.get(root)).json()["batches"]
        foreign = await client.post(f"{root}/{BATCH}/pdf", json={"approval": gate.new({**params, "cards": 1})})
        body = {"approval": gate.new(params)}
        assert (await client.post(f"{root}/{BATCH}/pdf", json=body, headers=other)).status_code == 403
        pages = await client.post(f"{root}/{BATCH}/pdf", json=body)
        again = await client.post(f"{root}/{BATCH}/pdf", json=body)
        missing = await client.post(f"{root}/other/pdf", json=body)
    assert shown == {"id": BATCH, "pages": 4, "printed": 2, "failed": []} | {
        each: shown[each] for each in ("size", "printed_at")
    }
    assert len(pages.content) == shown["size"]
    assert done.pages == shown["pages"]
    assert pages.headers["cache-control"] == "no-store"
    assert [answer.json()["reason"] for answer in (foreign, again)] == ["other-params", "used"]
    assert missing.json()["type"] == "urn:kuji:problem:unknown-batch"
