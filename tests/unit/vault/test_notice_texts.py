"""Texts of notices: each outcome with its reason in both languages, the receipt number, and no code on cards."""

import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.notices.rules.kinds import KINDS
from services.vault.notices.rules.reasons import REASONS
from services.vault.notices.rules.samples import SAMPLE_NAME, SAMPLE_RECEIPT, SampleNotice, sample_notices, sample_slip
from services.vault.notices.rules.shown import SHOWN
from services.vault.notices.rules.template import NoticeTemplate
from services.vault.notices.rules.template_check import names_of
from services.vault.notices.rules.texts import NoticeTexts, Registered, neutralise
from services.vault.notices.sources import TemplateFiles
from shared.campaign import Campaign, load_campaign
from shared.campaign.model import Pages
from shared.contracts import NoticeChannel, NoticeDocument, OutcomeSlip, Refusal
from shared.ids import ClassId

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
IDS = [event_class.id for event_class in CAMPAIGN.classes]
OPEN, CLOSED = CAMPAIGN.window.opens, CAMPAIGN.window.closes
CHANNELS: tuple[NoticeChannel, ...] = ("mail", "card")
RULE = "-" * 60
SINGLE = [kind for kind, known in KINDS.items() if known.source != "campaign"]

WORDS = st.sampled_from(["won", "waiting", "lost", "refused"])
OUTCOMES = st.lists(st.sampled_from(IDS), min_size=1, max_size=7, unique=True).flatmap(
    lambda ids: st.tuples(*(st.tuples(st.just(class_id), WORDS) for class_id in ids))
)
Row = tuple[str, str] | tuple[str, str, str]


def _texts(campaign: Campaign) -> NoticeTexts:
    """Return the texts of the default templates."""
    sources = {
        (kind, channel): TemplateFiles(Path("absent")).read(campaign.id, kind, channel)
        for kind in KINDS
        for channel in CHANNELS
    }
    return NoticeTexts(
        campaign, {key: NoticeTemplate(source.text, key[1]) for key, source in sources.items() if source is not None}
    )


TEXTS = _texts(CAMPAIGN)


def slip(*rows: Row, draw: int = 1, change: int = 0) -> OutcomeSlip:
    """Return a slip with these classes, outcomes and reasons."""
    reasons = {"refused": "grade", "lost": "drawn"}
    full = [(row[0], row[1], row[2] if len(row) == 3 else reasons.get(row[1])) for row in rows]
    classes = {event_class.id: event_class for event_class in CAMPAIGN.classes}
    outcomes = [(classes[ClassId(class_id)], outcome, reason) for class_id, outcome, reason in full]
    return sample_slip(CAMPAIGN, outcomes, draw=draw, change=change)


def document(kind: str, channel: NoticeChannel, params: dict[str, str | int] | None = None) -> NoticeDocument:
    return next(sample_notices(kind, channel, CAMPAIGN)).document.model_copy(update={"params": params or {}})


def registered(reasons: Sequence[str] = (), refused: Sequence[Refusal] = (), *, name: str = SAMPLE_NAME) -> Registered:
    return Registered(SAMPLE_RECEIPT, name, tuple(reasons), tuple(refused), (), 1)


def render(
    kind: str, channel: NoticeChannel, facts: OutcomeSlip | Registered, params: dict[str, str | int] | None = None,
    *, now: datetime = CLOSED,
) -> str:  # fmt: skip
    """Return the text of a notice."""
    order = document(kind, channel, params)
    of_slip = facts if isinstance(facts, OutcomeSlip) else None
    of_register = facts if isinstance(facts, Registered) else registered()
    if channel == "card":
        return TEXTS.card(order, of_slip, of_register, now)
    return TEXTS.mail(order, of_slip, of_register, now).body


def both(kind: str, facts: OutcomeSlip | Registered, params: dict[str, str | int] | None = None) -> list[str]:
    return [render(kind, channel, facts, params) for channel in CHANNELS]


def samples(campaign: Campaign = CAMPAIGN) -> Iterator[tuple[SampleNotice, str, str]]:
    """Yield all samples of all kinds with subject and text."""
    texts = TEXTS if campaign is CAMPAIGN else _texts(campaign)
    for kind, channel in ((kind, channel) for kind, known in KINDS.items() for channel in known.channels):
        for sample in sample_notices(kind, channel, campaign):
            yield sample, *sample.render(texts)


@given(OUTCOMES)
def test_a_result_names_each_class_with_its_outcome_in_both_languages(rows: tuple[Row, ...]) -> None:
    body = render("result", "mail", slip(*rows))
    for class_id, outcome, *_ in rows:
        event_class = CAMPAIGN.event_class(class_id)
        assert event_class is not None
        assert event_class.title.ja in body
        assert event_class.title.en in body
        if outcome == "won":
            assert event_class.place.ja in body
            assert f"{event_class.starts:%H:%M}" in body
    for outcome, text in {
        "won": "　当選（",
        "waiting": "補欠 3 番",
        "lost": "落選",
        "refused": "結果　　対象外",
    }.items():
        assert body.count(text) == sum(row[1] == outcome for row in rows)
    assert ("確認コードは、メールやお電話ではお知らせしません" in body) == any(
        row[1] in {"won", "waiting"} for row in rows
    )


@pytest.mark.parametrize(("kind", "channel"), [(kind, channel) for kind in SINGLE for channel in KINDS[kind].channels])
def test_a_single_notice_names_the_receipt_number_and_the_applicant(kind: str, channel: NoticeChannel) -> None:
    for sample in sample_notices(kind, channel, CAMPAIGN):
        subject, body = sample.render(TEXTS)
        assert body.startswith(f"{SAMPLE_NAME} 様\n")
        assert SAMPLE_RECEIPT in body
        if channel == "mail":
            assert all(SAMPLE_RECEIPT in text for text in (subject, *body.split(RULE)))


def test_an_announcement_names_no_applicant_and_no_receipt_number() -> None:
    for kind in set(KINDS) - set(SINGLE):
        for channel in CHANNELS:
            for params in ({"weather": "rain"}, {"entrance": "north"}):
                if params.keys() <= KINDS[kind].params.keys():
                    text = render(kind, channel, registered(), dict(params))
                    assert SAMPLE_NAME not in text
                    assert SAMPLE_RECEIPT not in text


def test_no_template_can_name_a_code_or_an_entry_number() -> None:
    for kind in KINDS:
        assert not {"code", "pass_code", "entry", "entry_number", "token"} & names_of(kind).keys()


def test_what_a_notice_may_show_stands_in_one_table() -> None:
    """Check that the code leaves on sealed cards alone, and that announcements show nothing of one person."""
    sources = {kind.source for kind in KINDS.values()}
    assert set(SHOWN) == {(source, form) for source in sources for form in ("mail", "open", "sealed")}
    assert {form for (_, form), items in SHOWN.items() if {"code", "entry-number"} & items} == {"sealed"}
    assert all("passes" not in SHOWN[source, "open"] for source in sources)
    assert not SHOWN["campaign", "mail"] | SHOWN["campaign", "open"] | SHOWN["campaign", "sealed"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_acknowledgement_names_the_version_of_the_content(channel: NoticeChannel) -> None:
    titles = {sample.title: sample.render(TEXTS)[1] for sample in sample_notices("acknowledgement", channel, CAMPAIGN)}
    assert "第1版" in titles["complete 1"]
    assert "第2版" in titles["complete 2"]
    assert "訂正を受け付けました" in titles["complete 2"]


def test_each_notice_names_the_status_page_and_the_page_that_checks_the_draw() -> None:
    for _, _, text in samples():
        for part in text.split(RULE):
            assert part.count(str(CAMPAIGN.pages.status)) == part.count(str(CAMPAIGN.pages.verify)) == 1


def test_a_campaign_without_page_addresses_names_none() -> None:
    for _, _, text in samples(CAMPAIGN.model_copy(update={"pages": Pages()})):
        assert "None" not in text
        assert "抽選の記録 (record)：" not in text
        assert "申込みの状況" not in text


@pytest.mark.parametrize(
    "word",
    ["葉書", "ハガキ", "ファックス", "FAX", "お申し込み", "お申込", "申込で", "Eメール", "キャンセル"],
)
def test_texts_use_one_word_for_one_thing(word: str) -> None:
    assert not any(word in subject + text for _, subject, text in samples())


def test_texts_are_plain_and_have_no_gaps() -> None:
    for _, subject, text in samples():
        assert "\n" not in subject
        assert "\n\n\n" not in text
        assert "<" not in text
        assert "{" not in text
        assert all(line == line.rstrip() for line in text.split("\n"))


def test_a_class_lost_because_it_overlaps_names_the_class_that_was_won() -> None:
    result = slip(("parent-child-food", "won"), ("junior-football", "lost", "clash"))
    for text in both("result", result):
        assert "当選した⑦と時間が重なります" in text
        assert "overlaps with the class that you won, Parent" in text
        assert "落選" not in text


def test_a_class_lost_because_of_the_limit_says_what_the_limit_is() -> None:
    result = slip((IDS[0], "won"), (IDS[1], "won"), (IDS[2], "lost", "limit"))
    for text in both("result", result):
        assert "お一人が当選できるのは2教室までです" in text
        assert "you won 2 classes, which is the most one person can win" in text
        assert "落選" not in text


def test_a_group_that_did_not_fit_reads_that_seats_were_left_but_too_few() -> None:
    mail, card = both("result", slip(("escort-kids", "won"), ("parent-child-food", "lost", "group")))
    for text in (mail, card):
        assert "【落選】" in card
        assert "残っていた席が、申し込まれた人数より少なかった" in text
    assert "fewer places were left at your turn in the draw than your group needs" in mail


def test_a_refused_class_says_why_beside_a_class_that_was_lost() -> None:
    for text in both("result", slip(("escort-kids", "lost"), ("junior-football", "refused"))):
        assert "落選" in text
        assert "学年が対象外です" in text
        assert "今回はご希望に添うことができませんでした" in text


def test_a_place_on_the_waiting_list_does_not_read_as_an_order_to_give_up() -> None:
    for text in both("result", slip((IDS[0], "waiting"))):
        assert "お知らせし" in text
        assert "お待ち" in text
        assert "お早めに" not in text
        assert "辞退" not in text
        assert "ときだけ" in text


@pytest.mark.parametrize("draw", [1, 2])
def test_the_result_of_a_redraw_states_that_it_replaces_the_first(draw: int) -> None:
    for text in both("result", slip((IDS[0], "won"), draw=draw)):
        assert ("抽選をやり直しました" in text) == (draw == 2)


def test_a_class_that_is_not_in_the_campaign_file_is_named_by_its_id() -> None:
    result = slip((IDS[0], "lost"))
    gone = result.outcomes[0].model_copy(update={"class_id": "gone-class"})
    assert "gone-class" in render("result", "mail", result.model_copy(update={"outcomes": (gone,)}))


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
    for text in both("rejected", registered([reason], refused)):
        assert expected in text
        assert "プレスキッズ取材体験教室：学年が対象外です" in text


@pytest.mark.parametrize("now", [OPEN, CLOSED])
def test_a_duplicate_applicant_reads_which_application_counts_and_is_not_invited_to_apply_again(now: datetime) -> None:
    for channel in CHANNELS:
        text = render("rejected", channel, registered(["duplicate"]), now=now)
        assert "別の申込みが有効です" in text
        assert "お手続きはありません" in text
        assert "改めて" not in text


@pytest.mark.parametrize("reason", sorted(set(REASONS) - {"duplicate"}))
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_rejection_says_how_to_apply_again_until_the_window_closes_and_not_after(
    reason: str, channel: NoticeChannel
) -> None:
    before = render("rejected", channel, registered([reason]), now=OPEN)
    after = render("rejected", channel, registered([reason]), now=CLOSED)
    assert "2018年5月29日（火）00:00までに" in before
    assert "改めて申し込むことができます" in before
    assert "改めて" not in after
    assert "受付は終わりました" in after


def test_a_reason_that_a_handler_chose_invites_to_call() -> None:
    body = render("rejected", "mail", registered(["odd"]), now=OPEN)
    assert "くわしくは、下記へお電話ください" in body
    assert "改めて" not in body


def test_an_acknowledgement_names_the_classes_and_the_days_of_the_draw_and_of_the_notice() -> None:
    sample = next(sample_notices("acknowledgement", "mail", CAMPAIGN))
    subject, body = sample.render(TEXTS)
    assert "受け付けました" in subject
    assert all(event_class.title.ja in body for event_class in CAMPAIGN.classes[:2])
    assert "2018年5月31日（木）10:00" in body
    assert "2018年6月3日（日）まで" in body


def test_an_offer_names_the_class_the_deadline_and_how_to_answer() -> None:
    for text in both("offer", slip((IDS[0], "offered"), (IDS[1], "lost"), change=4), {"class_id": IDS[0]}):
        assert CAMPAIGN.classes[0].title.ja in text
        assert "2018年6月4日（月）10:00" in text
        assert "Mon 04 Jun 2018, 10:00" in text
        assert str(CAMPAIGN.offers.page) in text
        assert "落選" in text


def test_an_offer_without_a_page_is_answered_by_telephone() -> None:
    campaign = CAMPAIGN.model_copy(update={"offers": CAMPAIGN.offers.model_copy(update={"page": None})})
    order, offered = document("offer", "mail", {"class_id": IDS[0]}), slip((IDS[0], "offered"), change=4)
    assert "下記へお電話ください" in _texts(campaign).mail(order, offered, registered(), CLOSED).body


@pytest.mark.parametrize(
    ("kind", "outcome", "expected"),
    [
        ("place-won", "won", "当選となりました"),
        ("correction", "won", "誤って受け付けておりませんでした"),
        ("correction", "waiting", "【補欠】3番"),
        ("offer-expired", "gone", "期限までにお返事がありませんでした"),
        ("place-withdrawn", "gone", "辞退のお手続きを承りました"),
    ],
)
def test_a_change_after_the_draw_says_what_changed_and_asks_for_no_answer(
    kind: str, outcome: str, expected: str
) -> None:
    text = render(kind, "card", slip((IDS[0], outcome), change=2), {"class_id": IDS[0]})
    assert expected in text
    assert "お返事がないとき" not in text


def test_a_class_that_is_gone_says_how_it_ended() -> None:
    gone = slip((IDS[0], "won"), (IDS[1], "gone", "expired"), change=3)
    for text in both("place-won", gone, {"class_id": IDS[0]}):
        assert CAMPAIGN.classes[1].title.ja in text or "② 終了" in text
    assert "期限までにお返事がありませんでした" in render("place-won", "mail", gone, {"class_id": IDS[0]})


def test_a_mail_of_a_rehearsal_states_that_it_is_a_rehearsal() -> None:
    rehearsal = CAMPAIGN.model_copy(update={"rehearsal": True})
    for campaign in (CAMPAIGN, rehearsal):
        for sample, _, text in samples(campaign):
            if sample.document.channel == "mail":
                assert ("これは訓練です" in text) == campaign.rehearsal


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("山田\r\nBcc: x@example.jp\n花子", "山田 Bcc: x@example.jp 花子"),
        ("山田\u202e花子\u2028", "山田 花子"),
        ("葛\U000e0100城　髙", "葛\U000e0100城　髙"),
        ("{{ code }}{% raw %}", "{{ code }}{% raw %}"),
        ("あ" * 200, "あ" * 100),
    ],
)
def test_a_name_is_one_line_of_visible_characters_and_no_template(name: str, expected: str) -> None:
    assert neutralise(name) == expected
    result, order = slip((IDS[0], "lost")), document("result", "mail")
    body = TEXTS.mail(order, result, registered(name=name), CLOSED).body
    assert body.split("\n")[0] == f"{expected} 様"


def count_lines(card: str, letters: int = 24) -> int:
    """Count the lines of a card with `letters` full-width letters a line."""
    return sum(max(1, -(-_width(line) // (2 * letters))) for line in card.rstrip("\n").split("\n"))


def _width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WFA" else 1 for letter in line)


def test_the_result_of_four_classes_fits_on_a_card() -> None:
    """Use 100 x 148 mm, up to four classes, at most two of them won."""
    for words in itertools.product(["won", "waiting", "lost"], repeat=4):
        if words.count("won") <= CAMPAIGN.draw.max_wins:
            chosen = [(IDS[number + 1], word) for number, word in enumerate(words)]
            assert count_lines(render("result", "card", slip(*chosen))) <= 33


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_about_one_class_is_short(kind: str) -> None:
    for sample in sample_notices(kind, "card", CAMPAIGN):
        if sample.title != "all classes":
            assert count_lines(sample.render(TEXTS)[1]) <= 24
