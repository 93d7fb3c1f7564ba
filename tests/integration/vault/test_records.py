"""Auditors read roster, training, approvals and the audit log as documents and on a page, and no applicant (R-S1)."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pypdfium2
import pytest
from httpx import AsyncClient

from services.vault.approvals.pages import TEXTS as APPROVAL_TEXTS
from services.vault.audit import COLLECTION, DATABASE
from services.vault.people.pages import TEXTS as PEOPLE_TEXTS
from services.vault.records.rules.documents import take_outs
from shared.approvals import RULES
from shared.json_types import JsonObject
from shared.staff_roles import Role
from shared.web.pages import catalogues_with
from tests.support.people_harness import PeopleHarness, running
from tests.unit.vault.test_approval_rules import DRAFT, signed


@pytest.fixture
async def vault(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[PeopleHarness]:
    async with running(mongo_url, namespace, tmp_path) as harness:
        yield harness


async def document(browser: AsyncClient, name: str) -> tuple[str, JsonObject]:
    """Return the text of a document, and the data that it carries."""
    content = (await browser.get(f"/desk/records/{name}.pdf")).raise_for_status().content
    with pypdfium2.PdfDocument(content) as pdf:
        text = "".join(page.get_textpage().get_text_range() for page in pdf)
        data: JsonObject = json.loads(bytes(pdf.get_attachment(0).get_data()))
    return "".join(text.split()).replace("\u200b", ""), data


async def test_the_roster_and_the_training_are_documents_with_their_data(vault: PeopleHarness):
    responsible, _ = await vault.set_up()
    text, data = await document(responsible, "roster")
    assert "取扱者名簿" in text
    assert "鈴木花子" in text
    assert [row["担当者ID"] for row in data["rows"]] == ["mori-01", "suzuki-01"]
    _, data = await document(responsible, "training")
    assert data["rows"][0]["研修"] == "個人情報保護研修"
    text, data = await document(responsible, "take-outs")
    assert data["rows"] == []
    assert "該当する記録はありません" in text
    lines = [json.loads(line) for line in await vault.audit.lines(0)]
    assert [line["action"] for line in lines][-1] == "make-document:take-outs"


async def test_the_page_shows_that_the_log_is_whole_and_then_that_it_was_cut(vault: PeopleHarness):
    responsible, ward = await vault.set_up()
    page = (await ward.get("/desk/records")).text
    assert "欠けは見つかっていません" in page
    assert "立会い人は設定されていません" in page
    lines = vault.store.beside(DATABASE)[COLLECTION]
    last = await lines.find_one_and_delete({}, sort=[("_id", -1)])
    assert last is not None
    page = (await responsible.get("/desk/records")).text
    assert "監査記録に欠けがあります" in page
    assert "新しい監査記録を開く" in page
    assert (await responsible.get("/en/desk/records")).status_code == 200
    async with vault.browser() as stranger:
        assert (await stranger.get("/desk/records/roster.pdf")).status_code == 303


def test_the_register_of_take_outs_names_people_counts_and_results():
    ja = catalogues_with(PEOPLE_TEXTS, APPROVAL_TEXTS)[0]
    waiting = DRAFT.with_signature(signed("yamada-01", Role.HANDLER))
    approved = waiting.with_signature(signed("suzuki-01", Role.RESPONSIBLE)).with_signature(
        signed("mori-01", Role.WARD)
    )
    (row,) = take_outs([approved], ja).rows
    assert row[2:6] == ("募集の消去", "777-days、申込みの件数 2", "消去の期日", "yamada-01")
    assert "mori-01（区の担当者）" in row[6]
    assert len(RULES) > 0
