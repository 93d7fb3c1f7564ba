"""Texts of notices: outcomes and reasons in both languages, and no name but the placeholder."""

import itertools
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.rules.texts import PLACEHOLDER, ResultText, Texts, is_regret
from shared.campaign import load_campaign
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


def outcome(class_id: str, word: str) -> Outcome:
    reason = {"refused": "grade", "lost": "drawn"}.get(word)
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
        "refused": "抽選の対象外",
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


def test_the_shared_text_names_no_class_and_no_person() -> None:
    mail = TEXTS.regret(CAMPAIGN)
    assert PLACEHOLDER not in mail.body
    assert "{{" not in mail.subject + mail.body
    for event_class in CAMPAIGN.classes:
        for title in (event_class.title.ja, event_class.title.en):
            assert title not in mail.subject + mail.body
    assert CAMPAIGN.title.ja in mail.subject
    assert CAMPAIGN.office.phone in mail.body
    assert mail == Texts().regret(CAMPAIGN)


@given(OUTCOMES)
def test_the_shared_text_is_for_applicants_who_won_nothing_and_wait_for_nothing(outcomes: tuple[Outcome, ...]) -> None:
    assert is_regret(outcomes) == (not {one.outcome for one in outcomes} & {"won", "waiting"})


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
        TEXTS.rejected(CAMPAIGN, rejected([reason], refused)).body,
        TEXTS.rejected_card(CAMPAIGN, rejected([reason], refused)),
    ):
        assert expected in text
        assert "プレスキッズ取材体験教室：学年が対象外です" in text


def test_each_mail_to_one_applicant_names_the_receipt_number() -> None:
    assert RECEIPT in TEXTS.rejected(CAMPAIGN, rejected(["grade"])).body
    assert RECEIPT in TEXTS.result(CAMPAIGN, ResultText(RECEIPT, [outcome(IDS[0], "lost")], None)).body


def test_a_mail_of_a_rehearsal_states_that_it_is_a_rehearsal() -> None:
    rehearsal = CAMPAIGN.model_copy(update={"rehearsal": True})
    for mail in (TEXTS.regret(rehearsal), TEXTS.result(rehearsal, ResultText(RECEIPT, [outcome(IDS[0], "won")], PASS))):
        assert "これは訓練です" in mail.body
    assert "訓練" not in TEXTS.regret(CAMPAIGN).body


def test_a_class_that_is_not_in_the_campaign_file_is_named_by_its_id() -> None:
    assert "gone-class" in TEXTS.result(CAMPAIGN, ResultText(RECEIPT, [outcome("gone-class", "lost")], None)).body


def count_lines(card: str, letters: int = 24) -> int:
    """Count the lines of a card with `letters` full-width letters a line."""
    return sum(max(1, -(-_width(line) // (2 * letters))) for line in card.rstrip("\n").split("\n"))


def _width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WFA" else 1 for letter in line)


def test_a_card_fits_on_a_postcard() -> None:
    """Use 100 x 148 mm, up to four classes, at most two of them won."""
    assert count_lines(TEXTS.regret_card(CAMPAIGN, RECEIPT)) <= 14
    assert count_lines(TEXTS.rejected_card(CAMPAIGN, rejected(["not-resident"]))) <= 12
    for words in itertools.product(["won", "waiting", "lost"], repeat=4):
        if words.count("won") <= CAMPAIGN.draw.max_wins:
            chosen = [outcome(IDS[n + 1], word) for n, word in enumerate(words)]
            assert count_lines(TEXTS.result_card(CAMPAIGN, ResultText(RECEIPT, chosen, PASS))) <= 24


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
            TEXTS.regret(CAMPAIGN, is_redraw=is_redraw).body,
            TEXTS.regret_card(CAMPAIGN, RECEIPT, is_redraw=is_redraw),
        ):
            assert ("抽選をやり直しました" in body) == is_redraw


@pytest.mark.parametrize("state", ["offered", "held"])
def test_an_offer_fits_on_a_postcard(state: str) -> None:
    assert count_lines(TEXTS.offer_card(CAMPAIGN, RECEIPT, offer(state=state))) <= 16
