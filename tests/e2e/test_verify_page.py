"""Anybody verifies the draw in a browser: from the office's record, from a file, without a network, by keyboard."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from services.lottery.promotion.history import chain_events
from services.lottery.promotion.replay import replay_history
from services.lottery.promotion.states import Move
from services.lottery.promotion.waiting_list import PlaceEvent
from services.lottery.record.manifest import Manifest
from services.lottery.record.rows import read_rows
from services.lottery.record.transcript import ROWS_FILE, sign_transcript
from services.lottery.verification.trace import trace
from services.lottery.verification.transcript_checks import derive_key
from shared.codes import entry_number, format_code
from tests.support.applicants import Applicant
from tests.support.browser import DESKTOP, PHONE, keep_picture, opened, overflows, tab_to, violations
from tests.support.chance import DICE
from tests.support.draw_builders import sample_campaign
from tests.support.intake_receipts import play_intake
from tests.support.lottery_harness import Office
from tests.support.lottery_pages_harness import LotteryHarness, run_lottery

SAMPLE = sample_campaign()
EARLY = SAMPLE.model_copy(update={"id": "early"})
PATH = f"/verify/{SAMPLE.id}"
GOOD = "この抽選の記録は正しいものです"


async def drawn(office: Office) -> None:
    await office.freeze()
    await office.enter_chance()
    await office.run()


async def drawn_again(office: Office) -> None:
    await office.redraw("dice fell off")
    await office.finish()
    await office.enter_chance(DICE[::-1])
    await office.run()


@pytest.fixture(scope="module")
def harness(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LotteryHarness]:
    home = tmp_path_factory.mktemp("verify")
    with run_lottery(mongo_url, f"{home.name}_verify", home, SAMPLE, EARLY) as running:
        running.take_in(SAMPLE, 1000)
        running.clock.at = SAMPLE.draw.at
        running.do(SAMPLE, drawn)
        running.do(SAMPLE, drawn_again)
        yield running


@pytest.fixture(scope="module")
def transcript(harness: LotteryHarness) -> dict[str, Any]:
    content: dict[str, Any] = httpx.get(f"{harness.url}/v1/campaigns/{SAMPLE.id}/transcript", timeout=20).json()
    return content


def verdict(page: Page) -> Any:
    return expect(page.locator("#verdict"))


def winner(harness: LotteryHarness, transcript: dict[str, Any]) -> Applicant:
    """Return the applicant of a winning entry."""
    return harness.people[transcript["winners"]["junior-football"][0]]


@pytest.mark.parametrize("language", ["", "/en"])
def test_the_record_is_computed_anew_and_one_application_is_followed(
    harness: LotteryHarness,
    browser: Browser,
    transcript: dict[str, Any],
    tmp_path: Path,
    language: str,
):
    own = winner(harness, transcript)
    with opened(browser, harness.url, DESKTOP if language else PHONE) as page:
        page.goto(f"{language}{PATH}")
        verdict(page).to_have_class("verdict verdict-good")
        assert page.locator("#checks li").count() == 16
        assert page.locator("#checks .mark-bad").count() == 0
        tab_to(page, "who")
        page.keyboard.type(entry_number(own.entry).lower())
        page.keyboard.press("Enter")
        manifest = Manifest.read(transcript["manifest"])
        path = trace(derive_key(transcript), manifest, read_rows(transcript["rows"]), bytes.fromhex(own.entry))
        assert path is not None
        expect(page.locator("#path")).to_contain_text(str(path.rank))
        expect(page.locator("#path")).to_contain_text(path.ticket)
        assert page.locator("#path ol li").count() == len(path.attempts)
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, f"verify-{'desktop-en' if language else 'phone-ja'}", tmp_path)


def test_a_receipt_is_looked_up_in_the_published_list_as_a_file_and_as_pasted_text(
    harness: LotteryHarness, browser: Browser, transcript: dict[str, Any], tmp_path: Path
):
    own = winner(harness, transcript)
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(own.document()))
    with opened(browser, harness.url, PHONE) as page:
        sent = list[str]()
        page.on("request", lambda request: sent.append(f"{request.url} {request.post_data}"))
        page.goto(PATH)
        verdict(page).to_contain_text(GOOD)
        found = page.locator("#receipt-found")
        page.set_input_files("#receipt-file", file)
        expect(found).to_contain_text("受付の一覧に載っています")
        expect(found.locator(".mark-good")).to_have_count(6)
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "verify-receipt", tmp_path)
        tab_to(page, "receipt-text")
        page.fill("#receipt-text", json.dumps(own.document(version=2)))
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(found).to_contain_text("確かめられないところがあります")
        expect(found.locator("li:has(.mark-bad)")).to_have_count(1)
        expect(found.locator("li:has(.mark-bad)")).to_contain_text("受付の一覧への掲載")
        assert violations(page) == []
        page.fill("#receipt-text", "{")
        page.click("#receipt-form button")
        expect(page.locator("#receipt-text-error")).to_contain_text("読めません")
        assert violations(page) == []
        assert not any(own.receipt in request or own.application_id in request for request in sent)


def test_nobody_is_followed_by_a_number_that_is_not_there(harness: LotteryHarness, browser: Browser):
    with opened(browser, harness.url) as page:
        page.goto(PATH)
        verdict(page).to_contain_text(GOOD)
        for typed, why in (
            ("E-0000-0000-0", "見つかりません"),
            ("x", "形が正しくありません"),
            ("", "形が正しくありません"),
        ):
            page.fill("#who", typed)
            page.press("#who", "Enter")
            expect(page.locator("#who-error")).to_contain_text(why)
        page.fill("#who", "0" * 32)
        page.press("#who", "Enter")
        expect(page.locator("#path")).to_contain_text("一覧にありません")
        assert violations(page) == []


def test_the_entry_is_computed_from_receipt_and_code_which_stays_on_the_device(
    harness: LotteryHarness, browser: Browser, transcript: dict[str, Any]
):
    own = winner(harness, transcript)
    with opened(browser, harness.url) as page:
        asked, sent = play_intake(page, [own]), list[str]()
        page.on("request", lambda request: sent.append(f"{request.url} {request.post_data}"))
        page.goto(PATH)
        verdict(page).to_contain_text(GOOD)
        page.fill("#who", own.receipt)
        page.press("#who", "Enter")
        expect(page.locator("#code-error")).to_contain_text("16文字")
        page.fill("#code", format_code(own.code))
        page.press("#code", "Enter")
        expect(page.locator("#path")).to_contain_text(own.entry)
        expect(page.locator("#path")).to_contain_text("この機器で計算しました")
        assert len(asked) == 1
        assert not any(own.code in request or format_code(own.code) in request for request in sent)
        assert violations(page) == []


def test_a_link_from_the_receipt_page_shows_the_own_entry_at_once(
    harness: LotteryHarness, browser: Browser, transcript: dict[str, Any]
):
    own = winner(harness, transcript)
    with opened(browser, harness.url) as page:
        page.goto(f"{PATH}#{entry_number(own.entry)}")
        expect(page.locator("#path")).to_contain_text(own.entry)
        assert page.url.endswith(PATH)


def test_a_draw_that_was_given_up_can_be_verified_as_well(harness: LotteryHarness, browser: Browser):
    with opened(browser, harness.url) as page:
        page.goto(PATH)
        verdict(page).to_contain_text(GOOD)
        expect(page.locator("#facts")).to_contain_text(f"{SAMPLE.id}-2")
        page.select_option("#draw", "1")
        expect(page.locator("#facts")).to_contain_text(f"{SAMPLE.id}-1")
        verdict(page).to_contain_text(GOOD)


def test_it_works_without_a_network_once_loaded(harness: LotteryHarness, browser: Browser, transcript: dict[str, Any]):
    with opened(browser, harness.url) as page:
        page.goto(PATH)
        expect(page.locator("#offline")).to_contain_text("通信がなくても")
        verdict(page).to_contain_text(GOOD)
        own = winner(harness, transcript)
        page.context.set_offline(True)
        page.reload()
        verdict(page).to_contain_text(GOOD)
        expect(page.locator("#kept")).to_contain_text("この機器に残っていた")
        page.fill("#who", entry_number(own.entry))
        page.press("#who", "Enter")
        expect(page.locator("#path")).to_contain_text(own.entry)
        page.fill("#who", transcript["winners"]["press-kids"][0])
        page.press("#who", "Enter")
        expect(page.locator("#path")).to_contain_text(transcript["winners"]["press-kids"][0])
        page.context.set_offline(False)


def test_a_file_is_verified_and_a_changed_one_is_refused(
    harness: LotteryHarness, browser: Browser, transcript: dict[str, Any], tmp_path: Path
):
    changed = json.loads(json.dumps(transcript))
    changed["winners"]["escort-kids"].reverse()
    (tmp_path / "good.json").write_text(json.dumps(transcript))
    (tmp_path / "bad.json").write_text(json.dumps(changed))
    (tmp_path / "none.json").write_text("nothing")
    with opened(browser, harness.url) as page:
        page.goto(PATH)
        verdict(page).to_contain_text(GOOD)
        page.set_input_files("#files", tmp_path / "bad.json")
        verdict(page).to_have_class("verdict verdict-bad")
        expect(page.locator("#checks .mark-bad")).to_have_count(2)
        assert page.locator("#follow").is_hidden()
        assert violations(page) == []
        keep_picture(page, "verify-changed", tmp_path)
        page.set_input_files("#files", tmp_path / "good.json")
        verdict(page).to_contain_text(GOOD)
        page.set_input_files("#files", tmp_path / "none.json")
        verdict(page).to_have_class("verdict verdict-bad")


def signed_again(harness: LotteryHarness, content: dict[str, Any], **changed: Any) -> dict[str, Any]:
    unsigned = {name: value for name, value in {**content, **changed}.items() if name != "signature_of_result"}
    return sign_transcript(unsigned, harness.keys.signing)


def test_what_happened_after_the_draw_is_shown_and_checked(
    harness: LotteryHarness, browser: Browser, transcript: dict[str, Any], tmp_path: Path
):
    manifest, entries = Manifest.read(transcript["manifest"]), read_rows(transcript["rows"])
    lists = replay_history(transcript, manifest, entries, derive_key(transcript))
    gone, at = transcript["winners"]["junior-football"][0], manifest.frozen_at + timedelta(days=1)
    given_up = PlaceEvent(
        Move.WITHDRAWN, at, "applicant", gone, "junior-football", lists.places[gone, "junior-football"].seats
    )
    lists.apply(given_up)
    turn = lists.turn("junior-football", at)
    assert turn is not None
    until = manifest.promotion.answer_by(lists.classes["junior-football"], at)
    offered = PlaceEvent(Move.OFFERED, at, "", turn.entry, turn.class_id, turn.seats, answer_by=until, past=turn.past)
    wrong = replace(offered, entry=transcript["waiting"]["junior-football"][-1])
    for name, step in (("right", offered), ("wrong", wrong)):
        steps = chain_events([given_up, step], transcript["history"][-1])
        content = signed_again(harness, transcript, history=[*transcript["history"], *steps])
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    with opened(browser, harness.url) as page:
        page.goto(PATH)
        page.set_input_files("#files", tmp_path / "wrong.json")
        verdict(page).to_have_class("verdict verdict-bad")
        expect(page.locator("#checks .mark-bad")).to_have_count(1)
        expect(page.locator("#checks li").last).to_contain_text("抽選後の辞退と繰上げ")
        page.set_input_files("#files", tmp_path / "right.json")
        verdict(page).to_contain_text(GOOD)
        for entry, happened, now in ((gone, "辞退", "なし"), (turn.entry, "返事の期限", "繰上げの案内中")):
            page.fill("#who", entry)
            page.press("#who", "Enter")
            expect(page.locator("#path")).to_contain_text(entry)
            expect(page.locator("#path ol").last).to_contain_text(happened)
            expect(page.locator("#path dl").last).to_contain_text(now)
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "verify-afterwards", tmp_path)


def test_a_list_in_a_file_of_its_own_is_taken_along_and_files_may_be_dropped(
    harness: LotteryHarness, browser: Browser, transcript: dict[str, Any], tmp_path: Path
):
    apart = json.dumps(signed_again(harness, transcript, rows=ROWS_FILE))
    (tmp_path / "transcript.json").write_text(apart)
    (tmp_path / ROWS_FILE).write_text(transcript["rows"])
    with opened(browser, harness.url) as page:
        page.goto(PATH)
        page.set_input_files("#files", tmp_path / "transcript.json")
        verdict(page).to_have_class("verdict verdict-bad")
        page.set_input_files("#files", [tmp_path / ROWS_FILE, tmp_path / "transcript.json"])
        verdict(page).to_have_class("verdict verdict-good")
        page.click("#again")
        dropped = page.evaluate_handle(
            """(text) => {
                const data = new DataTransfer();
                data.items.add(new File([text], "transcript.json"));
                return data;
            }""",
            json.dumps(transcript).replace("escort", "escore"),
        )
        page.dispatch_event("#field-files", "drop", {"dataTransfer": dropped})
        verdict(page).to_have_class("verdict verdict-bad")


def test_before_the_draw_the_page_says_so(harness: LotteryHarness, browser: Browser):
    with opened(browser, harness.url) as page:
        page.goto(f"/verify/{EARLY.id}")
        verdict(page).to_contain_text("まだ公開されていません")
        page.goto("/verify")
        assert page.locator(".events li").count() == 2
        assert page.goto("/verify/unknown").status == 404  # type: ignore[union-attr]
        assert violations(page) == []
