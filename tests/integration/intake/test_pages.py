"""Public pages over HTTP: languages, states of the window, headers, no resource of another site."""

import json
import re
from datetime import timedelta

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
import segno
from httpx import Response

from shared.contracts import ErasureCompleted, ErasureRequested
from shared.service_keys import ServiceKey
from shared.sheet_layout import code_text
from tests.integration.intake.conftest import LOTTERY, Intake
from tests.support.service_keys import keys_dir
from tests.support.vault_messages import CAMPAIGN

PAGES = (f"/c/{CAMPAIGN}", f"/c/{CAMPAIGN}/apply", f"/c/{CAMPAIGN}/status")


async def page(intake: Intake, path: str) -> Response:
    answer = await intake.http.get(path)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer


async def test_the_first_page_leads_to_the_only_event(intake: Intake):
    answer = await intake.http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/c/{CAMPAIGN}")
    assert (await intake.http.get("/en/")).headers["location"] == f"/en/c/{CAMPAIGN}"


@pytest.mark.parametrize("path", PAGES)
async def test_pages_come_in_japanese_and_in_english_and_link_to_each_other(intake: Intake, path: str):
    for prefix, lang in (("", "ja"), ("/en", "en")):
        answer = await page(intake, prefix + path)
        assert f'<html lang="{lang}">' in answer.text
        assert answer.headers["content-language"] == lang
        assert f'href="{path}"' in answer.text
        assert f'href="/en{path}"' in answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_in_a_page_comes_from_elsewhere_or_runs_inline(intake: Intake, path: str):
    answer = await page(intake, path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "set-cookie" not in answer.headers
    assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("no-referrer", "no-store")
    loaded = re.findall(r'<(?:script|link)\b[^>]*(?:src|href)="([^"]+)"[^>]*>', answer.text)
    assert loaded
    assert all(each.startswith("/assets/") for each in loaded)
    assert not re.search(r"<script(?![^>]*(?:src=|application/json))|<style|\son\w+=|style=", answer.text)


async def test_programs_and_styles_are_bound_by_their_hash_and_kept_for_ever(intake: Intake):
    text = (await page(intake, f"/c/{CAMPAIGN}/apply")).text
    bound = re.findall(r'(?:src|href)="(/assets/[^"]+\.(?:js|css))" integrity="(sha384-[^"]+)"', text)
    assert len(bound) == text.count("/assets/") - 1  # the icon
    for url, _ in bound:
        asset = await intake.http.get(url)
        assert asset.status_code == 200
        assert "immutable" in asset.headers["cache-control"]
    assert (await intake.http.get("/assets/apply-0000000000000000.js")).status_code == 404


async def test_an_event_that_does_not_exist_is_a_page_that_says_so(intake: Intake):
    answer = await intake.http.get("/c/other/apply")
    assert answer.status_code == 404
    assert "ページが見つかりません" in answer.text


async def test_the_form_opens_and_closes_with_the_window(intake: Intake):
    path = f"/c/{CAMPAIGN}/apply"
    assert "受付中" in (await page(intake, f"/c/{CAMPAIGN}")).text
    assert 'id="fields"' in (await page(intake, path)).text
    intake.jump(intake.campaign.window.opens - timedelta(hours=1))
    early = (await page(intake, path)).text
    assert "2018年5月15日(火) 午前9時 に始まります" in early
    assert 'id="fields"' not in early
    intake.jump(intake.campaign.window.closes + timedelta(minutes=1))
    assert "受付は終了しました" in (await page(intake, path)).text


async def test_the_page_pins_the_vaults_key_and_tells_the_offices_time(intake: Intake):
    text = (await page(intake, f"/c/{CAMPAIGN}/apply")).text
    block = re.search(r'<script type="application/json" id="page">(.*?)</script>', text, re.DOTALL)
    assert block is not None
    data = json.loads(block[1])
    assert data["signing_key"] == intake.vault.signing.public
    assert data["intake_keys"] == [ServiceKey(keys_dir(), "intake").public]
    assert data["is_open"]
    assert data["now"].startswith("2018-05-")
    assert data["rules"]["purpose_version"] == intake.campaign.purpose.version


async def test_the_sheet_is_one_page_of_a4_that_asks_for_what_may_be_asked(intake: Intake):
    answer = await intake.http.get(f"/c/{CAMPAIGN}/sheet.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    with pypdfium2.PdfDocument(answer.content) as document:
        assert len(document) == 1
        assert [round(side) for side in document[0].get_size()] == [595, 842]
        text = document[0].get_textpage().get_text_range()
        embedded = {pdfium.FPDFFont_GetIsEmbedded(pdfium.FPDFTextObj_GetFont(item.raw)) for item in _texts(document[0])}
    assert embedded == {1}
    for asked in ("氏名", "郵便番号", "住所", "電話番号", "学年又は年齢", "保護者の氏名", "個人情報の利用目的"):
        assert asked in text
    assert "メール" not in text
    assert [title for each in intake.campaign.classes if (title := each.title.ja[:8]) not in text] == []
    assert intake.campaign.office.fax in text
    assert "2018年5月28日(月) 24時" in text


def _texts(sheet: pypdfium2.PdfPage) -> list[pypdfium2.PdfObject]:
    return list(sheet.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT]))


async def test_the_code_on_the_sheet_names_campaign_and_versions(intake: Intake):
    """Read off the picture: every module of the code is where segno puts it."""
    answer = await intake.http.get(f"/c/{CAMPAIGN}/sheet.pdf")
    with pypdfium2.PdfDocument(answer.content) as document:
        picture = document[0].render(scale=8).to_pil().convert("L")
    wanted = [[bool(dark) for dark in row] for row in segno.make(code_text(intake.campaign), error="q").matrix]
    millimetre = 8 * 72 / 25.4
    left, top, side = (210 - 17 - 24) * millimetre, 14 * millimetre, 24 * millimetre
    unit = side / len(wanted)

    def dark(x: int, y: int) -> bool:
        shade = picture.getpixel((int(left + (x + 0.5) * unit), int(top + (y + 0.5) * unit)))
        return isinstance(shade, int | float) and shade < 128

    found = [[dark(x, y) for x in range(len(wanted))] for y in range(len(wanted))]
    assert found == wanted
    assert code_text(intake.campaign).startswith(f"kuji-sheet/2 {CAMPAIGN} 2018-05 ")


async def test_the_pages_of_an_erased_campaign_say_so_and_offer_nothing(intake: Intake):
    await intake.vault.publish(ErasureRequested(campaign=CAMPAIGN, erasure_id="erasure-1"))
    await intake.vault.fetch_until(1, "vault", ErasureCompleted.name)
    for path in PAGES:
        assert "個人情報はすべて消去しました" in (await page(intake, path)).text
        english = (await page(intake, f"/en{path}")).text
        assert "all personal data has been erased" in english
        assert "<form" not in english
    assert (await intake.post(intake.body())).is_error
    assert await intake.store.db["applications"].count_documents({}) == 0


async def test_only_the_lotterys_pages_may_ask_for_a_receipt_number_from_a_browser(intake: Intake):
    _, document = await intake.apply()
    for receipt, status in ((document["receipt"], 200), ("W-7K3M-9Q2P-6", 404)):
        answer = await intake.http.get(f"/v1/campaigns/{CAMPAIGN}/receipts/{receipt}")
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, LOTTERY)
    for path in (f"/v1/campaigns/{CAMPAIGN}", f"/v1/applications/{document['application_id']}"):
        assert "access-control-allow-origin" not in (await intake.http.get(path)).headers
    assert f'href="{LOTTERY}/verify/{CAMPAIGN}"' in (await page(intake, f"/c/{CAMPAIGN}/status")).text
