"""The print room on a real database: orders by token become pages that only a written-down opening shows."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pypdfium2
import pytest
from fastapi import FastAPI

from services.vault.identities.person import Person
from services.vault.identities.reveal import PurposeNotAllowedError
from services.vault.printroom import repository as print_repository
from services.vault.printroom.endpoints import print_router
from services.vault.printroom.room import PrintRoom
from shared.contracts import CardOrder, PrintCompleted, PrintRequested
from shared.ids import BatchId, NoticeId, Token, new_token
from shared.typesetting import Typesetter
from shared.web import install_problems, require_staff_token
from tests.support.vault_parts import Parts, parts

PEOPLE = [
    Person("髙﨑 花子", "1600021", "東京都新宿区歌舞伎町1-4-1 青葉荘2号", "0311112222", None, "p3", None, "髙﨑 太郎"),
    Person("𠮷田 一郎", "1600023", "新宿区西新宿2丁目8番1号", "0333334444", 34, None, None, None),
]
BATCH = BatchId("batch-1")


@pytest.fixture
async def vault(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Parts]:
    async with parts(mongo_url, namespace, tmp_path, print_repository.collections()) as wired:
        yield wired


def print_room(vault: Parts) -> PrintRoom:
    return PrintRoom(
        vault.store, vault.identities, vault.keystore, vault.audit, vault.campaigns, vault.clock, Typesetter()
    )


def request(vault: Parts, tokens: list[Token], body: str = "{{kuji:name}} 様") -> PrintRequested:
    items = [CardOrder(notice_id=NoticeId(f"n{index}"), token=token, body=body) for index, token in enumerate(tokens)]
    return PrintRequested(campaign=vault.campaign.id, batch_id=BATCH, items=tuple(items))


async def ordered(vault: Parts, tokens: list[Token], body: str = "{{kuji:name}} 様") -> PrintCompleted:
    event = request(vault, tokens, body)
    await vault.store.transact(lambda uow: print_room(vault).on_requested([event], uow))
    done = (await vault.said(PrintCompleted))[-1]
    assert isinstance(done, PrintCompleted)
    return done


async def test_an_order_by_token_becomes_two_pages_a_person(vault: Parts) -> None:
    known = await vault.admit(PEOPLE)
    done = await ordered(vault, [each.token for each in known])
    pdf = await print_room(vault).pdf(vault.campaign.id, BATCH, actor="a-handler")
    assert pdf is not None
    assert (done.pages, done.printed, done.failed) == (4, ("n0", "n1"), ())
    assert hashlib.sha256(pdf).hexdigest() == done.sha256
    with pypdfium2.PdfDocument(pdf) as document:
        first = document[0].get_textpage().get_text_range()
        result = document[3].get_textpage().get_text_range()
    assert "髙﨑 花子" in first
    assert "𠮷田 一郎 様" in result
    assert known[1].receipt in result


async def test_unknown_tokens_fail_and_the_others_are_printed(vault: Parts) -> None:
    (known,) = await vault.admit(PEOPLE[:1])
    done = await ordered(vault, [new_token(), known.token])
    assert done.printed == ("n1",)
    assert [(each.notice_id, each.reason) for each in done.failed] == [("n0", "unknown-token")]
    assert done.pages == 2


async def test_a_text_with_a_foreign_placeholder_fails(vault: Parts) -> None:
    (known,) = await vault.admit(PEOPLE[:1])
    done = await ordered(vault, [known.token], "{{kuji:phone}}")
    assert [each.reason for each in done.failed] == ["placeholder"]
    assert await print_room(vault).pdf(vault.campaign.id, BATCH, actor="a-handler") is None


async def test_a_name_that_no_font_here_can_print_fails_instead_of_going_out_as_boxes(vault: Parts) -> None:
    hangul = Person("김 한국", "1600021", "新宿区歌舞伎町1-4-1", "0311112222", 40, None, None, None)
    first, second = await vault.admit([hangul, PEOPLE[1]])
    done = await ordered(vault, [first.token, second.token])
    assert [(each.notice_id, each.reason) for each in done.failed] == [("n0", "characters")]
    assert (done.printed, done.pages) == (("n1",), 2)


async def test_an_order_said_twice_is_printed_once_and_answered_alike(vault: Parts) -> None:
    known = await vault.admit(PEOPLE)
    first = await ordered(vault, [each.token for each in known])
    again = await ordered(vault, [each.token for each in known])
    assert first == again
    assert len(await print_room(vault).batches(vault.campaign.id)) == 1


async def test_neither_people_nor_pages_lie_in_the_database_in_the_clear(vault: Parts) -> None:
    known = await vault.admit(PEOPLE)
    await ordered(vault, [each.token for each in known])
    kept = repr([document async for document in vault.store.db[print_repository.CHUNKS].find()])
    kept += repr([document async for document in vault.store.db[print_repository.BATCHES].find()])
    assert "%PDF" not in kept
    assert "髙﨑" not in kept
    assert repr("髙﨑".encode())[2:-1] not in kept


async def test_a_batch_put_under_another_name_does_not_open(vault: Parts) -> None:
    known = await vault.admit(PEOPLE)
    await ordered(vault, [each.token for each in known])
    document = await vault.store.db[print_repository.BATCHES].find_one({"_id": BATCH})
    assert document is not None
    await vault.store.db[print_repository.BATCHES].insert_one(document | {"_id": "other"})
    await vault.store.db[print_repository.CHUNKS].update_many({}, {"$set": {"batch": "other"}})
    with pytest.raises(Exception, match="does not open"):
        await print_room(vault).pdf(vault.campaign.id, BatchId("other"), actor="a-handler")


async def test_every_reading_and_every_opening_is_written_down_with_its_purpose(vault: Parts) -> None:
    known = await vault.admit(PEOPLE)
    await ordered(vault, [each.token for each in known])
    await print_room(vault).pdf(vault.campaign.id, BATCH, actor="a-handler")
    lines = [json.loads(line) for line in (await vault.audited()).splitlines()]
    assert [line["action"] for line in lines] == [f"reveal:batch:{BATCH}"] * 2 + [f"open-print-batch:{BATCH}"]
    assert {line["purpose"] for line in lines} == {"print"}
    assert lines[-1]["actor"] == "a-handler"


async def test_a_campaign_that_does_not_allow_printing_prints_nothing(vault: Parts) -> None:
    (known,) = await vault.admit(PEOPLE[:1])
    forbidding = vault.allowing(frozenset({"intake"}))
    with pytest.raises(PurposeNotAllowedError):
        await ordered(forbidding, [known.token])
    assert await print_room(vault).batches(vault.campaign.id) == []


async def test_only_staff_see_batches_and_fetch_pages(vault: Parts, tmp_path: Path) -> None:
    known = await vault.admit(PEOPLE)
    done = await ordered(vault, [each.token for each in known])
    token = tmp_path / "ops-token"
    token.write_text("staff", "utf-8")
    app = FastAPI()
    install_problems(app)
    app.include_router(print_router(vault.campaigns, print_room(vault), require_staff_token(token)))
    root = f"/v1/campaigns/{vault.campaign.id}/print-batches"
    staff = {"Authorization": "Bearer staff"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://vault") as client:
        assert (await client.get(f"{root}/{BATCH}/pdf")).status_code == 401
        (shown,) = (await client.get(root, headers=staff)).json()["batches"]
        pages = await client.get(f"{root}/{BATCH}/pdf", headers=staff)
        missing = await client.get(f"{root}/other/pdf", headers=staff)
    assert shown == {"id": BATCH, "pages": 4, "printed": 2, "failed": []} | {
        each: shown[each] for each in ("sha256", "size", "printed_at")
    }
    assert hashlib.sha256(pages.content).hexdigest() == shown["sha256"] == done.sha256
    assert pages.headers["cache-control"] == "no-store"
    assert missing.json()["type"] == "urn:kuji:problem:unknown-batch"
