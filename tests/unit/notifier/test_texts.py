"""Texts of notices: outcomes and reasons in both languages, and no name but the placeholder."""

import itertools
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from services.notifier.rules.reasons import REASONS
from services.notifier.rules.texts import PLACEHOLDER, MailText, ResultText, Texts

from shared.campaign import Campaign, load_campaign
from shared.campaign.model import Pages
from shared.contracts import CardOrder, Contact, Outcome, PlaceOffer, Refusal
from shared.ids import ClassId, NoticeId, Receipt, new_application_id, new_token

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
IDS = [event_class.id for event_class in CAMPAIGN.classes]
TEXTS = Texts()
RECEIPT, PASS = Receipt("W-7K3M-9Q2P-6"), "0000-1111-2222-3333"

WORDS = st.sampled_from(["won", "waiting", "lost", "refused"])
OUTCOMES = st.lists(st.sampled_from(IDS), min_size=1, max_size=7, unique=True).flatmap(
    lambda ids: st.tuples(*(st.builds(outcome, st.just(class_id), WORDS) for class_id in ids))
)


OPEN = CAMPAIGN.window.opens
CLOSED = CAMPAIGN.window.closes


def outcome(class_id: str, word: str, reason: str | None = None) -> Outcome:
    reason = reason or {"refused": "grade", "lost": "drawn"}.get(word)
    position = 7 if word == "waiting" else None
    return Outcome.model_validate(
        {"class_id": class_id, "outcome": word, "seats": 2, "position": position, "reason": reason}
    )


def rejected(reasons: Sequence[str], refused: Sequence[Refusal] = ()) -> Contact:
    """Return the contact of a rejected application."""
    return Contact(
        application_id=new_application_id(),
        receipt=RECEIPT,
        token=new_token(),
        contact="mail",
        status="rejected",
        reasons=tuple(reasons),
        refused=tuple(refused),
    )


@given(OUTCOMES)
def test_a_result_names_each_class_with_its_outcome_in_both_languages(outcomes: tuple[Outcome, ...]) -> None:
    mail = TEXTS.result(CAMPAIGN, ResultText(RECEIPT, outcomes, PASS))
    for one in outcomes:
        event_class = CAMPAIGN.event_class(one.class_id)
        assert event_class is not None
        assert event_class.title.ja in mail.body
        assert event_class.title.en in mail.body
        if one.outcome == "won":
            assert event_class.place.ja in mail.body
            assert f"{event_class.starts:%H:%M}" in mail.body
    for word, text in {
        "won": "当選（2名分）",
        "waiting": "補欠 7 番",
        "lost": "落選",
        "refused": "結果　　対象外",
    }.items():
        assert mail.body.count(text) == sum(one.outcome == word for one in outcomes)
    assert RECEIPT in mail.body
    assert PASS in mail.body


@given(OUTCOMES)
def test_a_text_to_one_applicant_has_exactly_one_placeholder_for_the_name(outcomes: tuple[Outcome, ...]) -> None:
    for body in (
        TEXTS.result(CAMPAIGN, ResultText(RECEIPT, outcomes, None)).body,
        TEXTS.result_card(CAMPAIGN, ResultText(RECEIPT, outcomes, None)),
    ):
        assert body.count(PLACEHOLDER) == 1
        assert body.startswith(f"{PLACEHOLDER} 様")
        assert body.count("{{") == 1
        assert "受付コード" not in body


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("not-resident", "区内にお住まいの方が対象です"),
        ("guardian-missing", "保護者氏名の記入がありません"),
        ("odd", "条件を満たしていません"),
    ],
)
def test_a_rejection_names_its_reasons(reason: str, expected: str) -> None:
    refused = [Refusal(class_id=ClassId("press-kids"), reason="grade")]
    for text in (
        TEXTS.rejected(CAMPAIGN, rejected([reason], refused), OPEN).body,
        TEXTS.rejected_card(CAMPAIGN, rejected([reason], refused), OPEN),
    ):
        assert expected in text
        assert "プレスキッズ取材体験教室：学年が対象外です" in text


def every_text(campaign: Campaign = CAMPAIGN) -> tuple[list[MailText], list[str]]:
    """Return mails and cards of every kind and outcome."""
    results = [
        ResultText(RECEIPT, [outcome(IDS[0], word, reason)], PASS if word in {"won", "waiting"} else None, is_redraw)
        for word, reason in (("won", None), ("waiting", None), ("lost", "drawn"), ("lost", "clash"), ("lost", "limit"))
        for is_redraw in (False, True)
    ]
    offers = [offer(), offer(state="held"), offer(state="waiting", position=3, corrected=True)]
    contacts = [(rejected([reason]), now) for reason in (*REASONS, "odd") for now in (OPEN, CLOSED)]
    mails = [TEXTS.result(campaign, result) for result in results]
    mails += [TEXTS.offer(campaign, RECEIPT, one) for one in offers]
    mails += [TEXTS.rejected(campaign, contact, now) for contact, now in contacts]
    cards = [TEXTS.result_card(campaign, result) for result in results]
    cards += [TEXTS.offer_card(campaign, RECEIPT, one) for one in offers]
    cards += [TEXTS.rejected_card(campaign, contact, now) for contact, now in contacts]
    return mails, cards


def test_each_mail_names_the_receipt_number_in_subject_and_in_both_languages() -> None:
    for mail in every_text()[0]:
        japanese, english = mail.body.split("-" * 60)
        assert all(RECEIPT in text for text in (mail.subject, japanese, english))


def test_each_notice_names_the_status_page_and_the_page_that_checks_the_draw() -> None:
    mails, cards = every_text()
    for text in [*(part for mail in mails for part in mail.body.split("-" * 60)), *cards]:
        assert text.count(str(CAMPAIGN.pages.status)) == text.count(str(CAMPAIGN.pages.verify)) == 1


def test_a_campaign_without_page_addresses_names_none() -> None:
    mails, cards = every_text(CAMPAIGN.model_copy(update={"pages": Pages()}))
    for text in [*(mail.body for mail in mails), *cards]:
        assert "None" not in text
        assert "抽選の記録：" not in text
        assert "申込みの状況" not in text


@pytest.mark.parametrize("word", ["葉書", "ハガキ", "ファックス", "FAX", "お申し込み", "お申込", "申込で", "Eメール"])
def test_texts_use_one_word_for_one_thing(word: str) -> None:
    mails, cards = every_text()
    assert not any(word in text for text in [*(mail.subject + mail.body for mail in mails), *cards])


def test_texts_are_plain_and_have_no_gaps() -> None:
    mails, cards = every_text()
    for text in [*(mail.body for mail in mails), *cards]:
        assert "\n\n\n" not in text
        assert "<" not in text
        assert all(line == line.rstrip() for line in text.split("\n"))


def test_a_class_lost_because_it_overlaps_names_the_class_that_was_won() -> None:
    outcomes = [outcome("parent-child-food", "won"), outcome("junior-football", "lost", "clash")]
    result = ResultText(RECEIPT, outcomes, PASS)
    for text in (TEXTS.result(CAMPAIGN, result).body, TEXTS.result_card(CAMPAIGN, result)):
        assert "当選した⑦と時間が重なります" in text
        assert "落選" not in text
    assert "overlaps with the class that you won, Parent" in TEXTS.result(CAMPAIGN, result).body


def test_a_class_lost_because_of_the_limit_says_what_the_limit_is() -> None:
    outcomes = [outcome(IDS[0], "won"), outcome(IDS[1], "won"), outcome(IDS[2], "lost", "limit")]
    result = ResultText(RECEIPT, outcomes, PASS)
    for text in (TEXTS.result(CAMPAIGN, result).body, TEXTS.result_card(CAMPAIGN, result)):
        assert "お一人が当選できるのは2教室までです" in text
        assert "落選" not in text
    assert "you won 2 classes, which is the most one person can win" in TEXTS.result(CAMPAIGN, result).body


def test_a_refused_class_says_why_beside_a_class_that_was_lost() -> None:
    outcomes = [outcome("escort-kids", "lost"), outcome("junior-football", "refused")]
    result = ResultText(RECEIPT, outcomes, None)
    for text in (TEXTS.result(CAMPAIGN, result).body, TEXTS.result_card(CAMPAIGN, result)):
        assert "落選" in text
        assert "学年が対象外です" in text
        assert "今回はご希望に添うことができませんでした" in text


def test_a_place_on_the_waiting_list_does_not_read_as_an_order_to_give_up() -> None:
    result = ResultText(RECEIPT, [outcome(IDS[0], "waiting")], PASS)
    for text in (TEXTS.result(CAMPAIGN, result).body, TEXTS.result_card(CAMPAIGN, result)):
        assert "お知らせし" in text
        assert "お待ち" in text
        assert "お早めに" not in text
        assert "辞退" not in text
        assert "ときだけ" in text


@pytest.mark.parametrize("now", [OPEN, CLOSED])
def test_a_duplicate_applicant_reads_which_application_counts_and_is_not_invited_to_apply_again(now: datetime) -> None:
    contact = rejected(["duplicate"])
    for text in (TEXTS.rejected(CAMPAIGN, contact, now).body, TEXTS.rejected_card(CAMPAIGN, contact, now)):
        assert "別の申込みが有効です" in text
        assert "お手続きはありません" in text
        assert "改めて" not in text


@pytest.mark.parametrize("reason", sorted(set(REASONS) - {"duplicate"}))
def test_a_rejection_says_how_to_apply_again_until_the_window_closes_and_not_after(reason: str) -> None:
    contact = rejected([reason])
    for render in (
        lambda now: TEXTS.rejected(CAMPAIGN, contact, now).body,
        lambda now: TEXTS.rejected_card(CAMPAIGN, contact, now),
    ):
        assert "2018年5月29日（火）00:00までに" in render(OPEN)
        assert "改めて申し込むことができます" in render(OPEN)
        assert "改めて" not in render(CLOSED)
        assert "受付は終わりました" in render(CLOSED)


def test_a_reason_that_a_handler_chose_invites_to_call() -> None:
    body = TEXTS.rejected(CAMPAIGN, rejected(["odd"]), OPEN).body
    assert "くわしくは、下記へお電話ください" in body
    assert "改めて" not in body


def test_a_mail_of_a_rehearsal_states_that_it_is_a_rehearsal() -> None:
    assert all("これは訓練です" in mail.body for mail in every_text(CAMPAIGN.model_copy(update={"rehearsal": True}))[0])
    assert not any("訓練" in mail.body for mail in every_text()[0])


def test_a_class_that_is_not_in_the_campaign_file_is_named_by_its_id() -> None:
    assert "gone-class" in TEXTS.result(CAMPAIGN, ResultText(RECEIPT, [outcome("gone-class", "lost")], None)).body


def count_lines(card: str, letters: int = 24) -> int:
    """Count the lines of a card with `letters` full-width letters a line."""
    return sum(max(1, -(-_width(line) // (2 * letters))) for line in card.rstrip("\n").split("\n"))


def _width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WFA" else 1 for letter in line)


def test_a_card_fits_on_a_postcard() -> None:
    """Use 100 x 148 mm, up to four classes, at most two of them won."""
    assert count_lines(TEXTS.rejected_card(CAMPAIGN, rejected(["not-resident"]), OPEN)) <= 14
    for words in itertools.product(["won", "waiting", "lost"], repeat=4):
        if words.count("won") <= CAMPAIGN.draw.max_wins:
            chosen = [outcome(IDS[n + 1], word) for n, word in enumerate(words)]
            assert count_lines(TEXTS.result_card(CAMPAIGN, ResultText(RECEIPT, chosen, PASS))) <= 27


@given(OUTCOMES)
def test_a_card_can_be_ordered(outcomes: tuple[Outcome, ...]) -> None:
    body = TEXTS.result_card(CAMPAIGN, ResultText(RECEIPT, outcomes, PASS))
    assert CardOrder(notice_id=NoticeId("n-1"), token=new_token(), body=body, pass_code=PASS).body == body


def offer(**changed: object) -> PlaceOffer:
    answer_by = "2018-06-05T18:00:00+09:00" if changed.get("state", "offered") == "offered" else None
    facts = {
        "occasion": "777-days-1-4",
        "application_id": "3f2b8c1e-0000-4000-8000-000000000001",
        "class_id": IDS[0],
        "seats": 2,
        "state": "offered",
        "answer_by": answer_by,
        "pass_code": PASS,
    }
    return PlaceOffer.model_validate(facts | changed)


def test_an_offer_names_the_class_the_deadline_and_how_to_answer() -> None:
    page = CAMPAIGN.offers.model_copy(update={"page": "https://lottery.example.jp/withdraw"})
    with_page = CAMPAIGN.model_copy(update={"offers": page})
    for body in (TEXTS.offer(with_page, RECEIPT, offer()).body, TEXTS.offer_card(with_page, RECEIPT, offer())):
        assert CAMPAIGN.classes[0].title.ja in body
        assert "2018年6月5日（火）18:00" in body
        assert "https://lottery.example.jp/withdraw" in body
    mail = TEXTS.offer(CAMPAIGN, RECEIPT, offer())
    assert "Tue 05 Jun 2018, 18:00" in mail.body
    assert RECEIPT in mail.body
    assert PASS in mail.body
    assert CAMPAIGN.office.phone in mail.body


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"state": "held"}, "当選となりました"),
        ({"state": "held", "corrected": True}, "誤って受け付けておりませんでした"),
        ({"state": "waiting", "corrected": True, "position": 16}, "補欠 16 番"),
    ],
)
def test_a_seat_that_needs_no_answer_asks_for_none(facts: dict[str, object], expected: str) -> None:
    body = TEXTS.offer(CAMPAIGN, RECEIPT, offer(**facts)).body
    assert expected in body
    assert "お返事がないとき" not in body
    assert body.count(PLACEHOLDER) == 1


def test_the_result_of_a_redraw_states_that_it_replaces_the_first() -> None:
    for is_redraw in (True, False):
        result = ResultText(RECEIPT, [outcome(IDS[0], "won")], PASS, is_redraw)
        for body in (
            TEXTS.result(CAMPAIGN, result).body,
            TEXTS.result_card(CAMPAIGN, result),
        ):
            assert ("抽選をやり直しました" in body) == is_redraw


@pytest.mark.parametrize("state", ["offered", "held"])
def test_an_offer_fits_on_a_postcard(state: str) -> None:
    assert count_lines(TEXTS.offer_card(CAMPAIGN, RECEIPT, offer(state=state))) <= 19
