"""Cards as pages: two for each person whatever they are called, nothing over the edge, no text as markup."""

import ctypes
import re
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
import segno
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from services.vault.deliveries.rules.checks import RegisterEntry
from services.vault.identities.person import Person
from services.vault.identities.reveal import Revealed
from services.vault.notices.rules.shown import SHOWN
from services.vault.printroom.cards import card_of, customer_bars
from services.vault.printroom.postcards import (
    BARS_WIDTH_MM,
    Card,
    bar_rectangles,
    count_pages,
    draw_bars,
    draw_qr,
    print_cards,
)
from services.vault.printroom.rules import barcode
from shared.campaign import Campaign, load_campaign
from shared.codes import EntryId
from shared.contracts import ClassPass
from shared.errors import ConfigurationError
from shared.ids import ApplicationId, Receipt, new_token
from shared.postal_codes import CodeKind, PostalCode, PostalCodes, PostalTown
from shared.typesetting import Typesetter
from tests.support.identity_builders import CODE

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
OPEN = CAMPAIGN.model_copy(update={"post": "open"})
FORMS = pytest.mark.parametrize("campaign", [CAMPAIGN, OPEN], ids=["sealed", "open"])
TYPESETTER = Typesetter()
TOWN = PostalCode(CodeKind.TOWN, (PostalTown("東京都", "新宿区", "歌舞伎町"),))
POINTS_PER_MM = 72 / 25.4

CARD = Card(
    postal_code="1608484",
    address=("東京都新宿区歌舞伎町1丁目4番1号", "メゾン髙﨑 503号室"),
    name="渡邉 𠮷之助",
    guardian=False,
    bars=barcode.bars("1608484", "1-4-1-503"),
    body="ジュニアサッカー教室　当選\n\n当日お越しください。",
    code="ZK3M-9Q2P-6A4D-RT5W",
    entry_number="E-0MH4-P742-Q",
    receipt="W-7K3M-9Q2P-6",
)
ENTRY = RegisterEntry(
    campaign=CAMPAIGN.id,
    receipt=Receipt("W-7K3M-9Q2P-6"),
    entry=EntryId("05224b1c82c78a945bd65b26380ea97b"),
    version=1,
    is_paper=False,
    has_mail=False,
    is_decided=True,
    choices=(),
    refused=(),
    reasons=(),
)
PASSES = tuple(
    ClassPass(class_id=each.id, code="KP1:" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 5) for each in CAMPAIGN.classes
)
PERSON = Person(
    "髙﨑 花子", "1600021", "東京都新宿区歌舞伎町1-4-1 青葉荘2号", "0300000000", None, "p3", None, "髙﨑 太郎"
)


def texts(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]


def fonts(pdf: bytes) -> dict[str, bool]:
    """Name of each font used, and whether it is embedded."""
    found = {}
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            for item in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT]):
                font = pdfium.FPDFTextObj_GetFont(item.raw)
                name = ctypes.create_string_buffer(128)
                pdfium.FPDFFont_GetBaseFontName(font, name, 128)
                found[name.value.decode()] = bool(pdfium.FPDFFont_GetIsEmbedded(font))
    return found


def inked(pdf: bytes) -> list[tuple[float, float, float, float]]:
    """Per page the bounds of everything drawn, in millimetres from the left and from the bottom."""
    bounds = []
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            each = [item.get_bounds() for item in page.get_objects()]
            lefts, bottoms, rights, tops = zip(*each, strict=True)
            edges = (min(lefts), min(bottoms), max(rights), max(tops))
            bounds.append(tuple(edge / POINTS_PER_MM for edge in edges))
    return bounds


def sizes(pdf: bytes) -> list[tuple[int, ...]]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [tuple(round(side / POINTS_PER_MM) for side in page.get_size()) for page in document]


def test_an_open_postcard_has_an_address_side_and_a_result_side_of_100_by_148_mm() -> None:
    printed = print_cards(TYPESETTER, OPEN, [CARD])
    assert sizes(printed.pdf) == [(100, 148), (100, 148)]
    address, result = texts(printed.pdf)
    assert "渡邉 𠮷之助" in address
    assert "メゾン髙﨑 503号室" in address
    assert CAMPAIGN.office.name in address
    assert "当選" in result
    assert "W-7K3M-9Q2P-6" in result


def test_an_open_postcard_holds_neither_code_nor_entry_number_nor_pass() -> None:
    printed = print_cards(TYPESETTER, OPEN, [replace(CARD, passes=PASSES[:2])])
    assert all(secret not in "".join(texts(printed.pdf)) for secret in ("ZK3M-9Q2P", "0MH4-P742", "確認コード"))
    assert scanned(printed.pdf) == []


def test_a_sealed_card_is_one_sheet_with_code_and_passes_inside() -> None:
    printed = print_cards(TYPESETTER, CAMPAIGN, [replace(CARD, passes=PASSES[:1])])
    assert sizes(printed.pdf) == [(200, 148), (200, 148)]
    outside, inside = texts(printed.pdf)
    assert "渡邉 𠮷之助" in outside
    assert CAMPAIGN.office.name in outside
    assert all(secret not in outside for secret in ("当選", "9Q2P", "P742", "参加証"))
    shown = ("当選", "ZK3M-9Q2P-6A4D-RT5W", "W-7K3M-9Q2P-6", "E-0MH4-P742-Q", "参加証")
    assert all(text in inside for text in shown)
    assert [code.text for code in scanned(printed.pdf)] == [PASSES[0].code]


def test_a_sealed_card_for_a_web_applicant_asks_for_the_code_noted_and_shows_the_entry_number() -> None:
    printed = print_cards(TYPESETTER, CAMPAIGN, [replace(CARD, code=None, passes=PASSES[:1])])
    outside, inside = texts(printed.pdf)
    assert "控えた確認コード" in inside
    assert all(text in inside for text in ("W-7K3M-9Q2P-6", "E-0MH4-P742-Q", "参加証"))
    assert "ZK3M-9Q2P" not in outside + inside


@FORMS
def test_a_card_about_no_person_shows_no_number(campaign: Campaign) -> None:
    printed = print_cards(TYPESETTER, campaign, [replace(CARD, code=None, entry_number=None, body="中止します。")])
    assert printed.pages == 2
    assert all(text not in "".join(texts(printed.pdf)) for text in ("確認コード", "抽選番号", "P742"))


@FORMS
def test_the_result_is_not_on_the_address_side(campaign: Campaign) -> None:
    address, _ = texts(print_cards(TYPESETTER, campaign, [CARD]).pdf)
    assert "当選" not in address
    assert "7K3M" not in address


@FORMS
def test_fonts_are_embedded_as_subsets(campaign: Campaign) -> None:
    used = fonts(print_cards(TYPESETTER, campaign, [CARD]).pdf)
    assert {"IPAmjMincho", "IPAexGothic"} <= {name.partition("+")[2] for name in used}
    assert all(used.values())


def test_a_batch_is_small_because_of_its_subsets() -> None:
    assert len(print_cards(TYPESETTER, CAMPAIGN, [CARD] * 20).pdf) < 500_000


def test_pages_are_counted_in_the_file() -> None:
    printed = print_cards(TYPESETTER, CAMPAIGN, [CARD] * 7)
    with pypdfium2.PdfDocument(printed.pdf) as document:
        assert printed.pages == count_pages(printed.pdf) == len(document) == 14


def test_no_text_is_taken_as_markup() -> None:
    sly = '#panic("x") *b* $x$ `c` <l> @r \\u{41} = h {{kuji:name}} "'
    card = replace(CARD, name=sly, address=(sly,), body=sly)
    address, result = texts(print_cards(TYPESETTER, CAMPAIGN, [card]).pdf)
    for text in (address, result):
        assert '#panic("x")' in text
        assert "\\u{41}" in text


def test_a_card_that_fits_at_no_legible_size_is_left_out_and_stops_no_other() -> None:
    endless = replace(CARD, body="長い文章です。\n" * 250)
    printed = print_cards(TYPESETTER, CAMPAIGN, [CARD, endless, CARD])
    assert printed.unfit == {1}
    assert printed.pages == 4


def test_a_batch_in_which_nothing_fits_is_empty() -> None:
    printed = print_cards(TYPESETTER, CAMPAIGN, [replace(CARD, body="x\n" * 900)])
    assert (printed.pages, printed.pdf, printed.unfit) == (0, b"", frozenset({0}))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.text(min_size=1, max_size=80),
    address=st.lists(st.text(min_size=1, max_size=100), min_size=1, max_size=2),
)
def test_whatever_people_are_called_a_card_is_two_pages(name: str, address: list[str]) -> None:
    card = replace(CARD, name=name, address=tuple(address), guardian=True)
    printed = print_cards(TYPESETTER, CAMPAIGN, [card, CARD])
    assert printed.pages + 2 * len(printed.unfit) == 4


@pytest.mark.parametrize("character", ["W", "w", "漢", "ｱ", "ー", "っ", "「", "a ", "1", "ễ", "한"])
def test_the_longest_name_and_address_stay_within_the_card(character: str) -> None:
    card = replace(CARD, name=(character * 80)[:80], address=((character * 200)[:200],), guardian=True)
    for campaign, width in ((OPEN, 100), (CAMPAIGN, 200)):
        printed = print_cards(TYPESETTER, campaign, [card])
        assert printed.pages == 2
        for left, bottom, right, top in inked(printed.pdf):
            assert left >= 5
            assert right <= width - 5
            assert bottom >= 4
            assert top <= 146


def test_nothing_is_printed_on_the_fold_but_its_marks() -> None:
    full = replace(CARD, body="長い文章です。" * 70, passes=PASSES + PASSES, name="漢" * 30, address=("漢" * 90,))
    printed = print_cards(TYPESETTER, CAMPAIGN, [full])
    for page, marks in zip(pictures(printed.pdf, 10), (True, False), strict=True):
        fold = page.crop((960, 0, 1040, page.height))
        inner = fold.crop((0, 90, fold.width, page.height - 90))
        assert inner.getextrema() == (255, 255)
        assert (fold.getextrema() != (255, 255)) is marks


def test_the_barcode_has_a_legal_size_and_stands_clear_of_the_edges() -> None:
    rectangles = bar_rectangles(CARD.bars or "")
    long_bars = {round(height, 3) for _, _, _, height in rectangles}
    width = rectangles[-1][0] + rectangles[-1][2]
    size = 10 * max(long_bars) / 3.6
    assert len(rectangles) == 67
    assert 8 <= size <= 11.5
    assert width == pytest.approx(79.8 * size / 10)
    assert (100 - width) / 2 >= 10


def test_bars_stand_where_their_letters_say() -> None:
    tops = {letter: bar_rectangles(letter)[0] for letter in "FADT"}
    assert tops["F"][1] == tops["A"][1] == 0
    assert tops["D"][1] == tops["T"][1] > 0
    assert tops["F"][3] == pytest.approx(3 * tops["T"][3])
    assert tops["A"][3] == tops["D"][3] == pytest.approx(2 * tops["T"][3])


def test_the_picture_of_the_barcode_has_its_bars() -> None:
    rectangles = bar_rectangles("FADT")
    assert draw_bars("FADT").count("M") == 4
    assert all(f"M{2 * index} " in draw_bars("FADT") for index in range(4))
    assert pytest.approx(bar_rectangles("F" * 67)[-1][0] + rectangles[0][2]) == BARS_WIDTH_MM


def test_the_picture_of_a_pass_has_exactly_the_modules_of_its_qr_code() -> None:
    """Compare with another program: version 7, error correction M, the same mask."""
    picture = draw_qr(PASSES[0].code)
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1", picture)
    dark = {(int(x) + step, int(y)) for x, y, width in runs for step in range(int(width))}
    rows = segno.make(PASSES[0].code, error="m", micro=False, boost_error=False).matrix
    assert 'viewBox="0 0 45 45"' in picture
    assert dark == {(x, y) for y, row in enumerate(rows) for x, module in enumerate(row) if module}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 8, 9])
def test_every_pass_is_printed_large_enough_for_a_camera_up_to_eight_of_them(count: int) -> None:
    shown = [ClassPass(class_id=PASSES[at % 7].class_id, code=f"KP1:{'ABCDEFGHI'[at] * 160}") for at in range(count)]
    printed = print_cards(TYPESETTER, CAMPAIGN, [replace(CARD, passes=tuple(shown))])
    assert printed.unfit == frozenset()
    codes = scanned(printed.pdf)
    assert sorted(code.text for code in codes) == sorted(one.code for one in shown[:8])
    assert all(_width(code) / 45 >= 0.38 for code in codes)


def pictures(pdf: bytes, pixels_per_mm: float) -> list[Image.Image]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=pixels_per_mm / POINTS_PER_MM).to_pil().convert("L") for page in document]


def scanned(pdf: bytes) -> list[zxingcpp.Barcode]:
    """Return the QR codes that a reader finds on all pages, at eight pixels a millimetre."""
    return [code for page in pictures(pdf, 8) for code in zxingcpp.read_barcodes(page)]


def _width(code: zxingcpp.Barcode) -> float:
    """Return the width in millimetres."""
    return (code.position.top_right.x - code.position.top_left.x) / 8


def test_pupils_are_addressed_with_their_guardians_whose_names_stay_off_the_card() -> None:
    pupil = card_of("結果です。", None, revealed(PERSON), ENTRY, TOWN, frozenset())
    adult_person = replace(PERSON, grade=None, age=34, guardian_name=None)
    adult = card_of("結果です。", None, revealed(adult_person), ENTRY, TOWN, frozenset())
    assert (pupil.guardian, adult.guardian) == (True, False)
    address, _ = texts(print_cards(TYPESETTER, CAMPAIGN, [pupil]).pdf)
    assert "保護者様" in address
    assert "太郎" not in address


def test_only_an_application_by_paper_gets_its_code_and_only_where_the_table_allows_it() -> None:
    paper, items = replace(ENTRY, is_paper=True), SHOWN["register", "sealed"]
    by_paper = card_of("受け付けました。", None, revealed(PERSON), paper, TOWN, items)
    by_web = card_of("受け付けました。", None, revealed(PERSON), ENTRY, TOWN, items)
    assert (by_paper.code, by_paper.entry_number) == ("Z2CX-EZZ6-57RY-X4D8", "E-0MH4-P742-Q")
    assert (by_web.code, by_web.entry_number) == (None, "E-0MH4-P742-Q")
    for source in ("slip", "register", "campaign"):
        postcard = card_of("結果です。", None, revealed(PERSON), paper, TOWN, SHOWN[source, "open"])
        assert (postcard.code, postcard.entry_number, postcard.passes) == (None, None, ())


def revealed(person: Person) -> Revealed:
    """Return the identity of the vector's application in `tests/cases/codes.json`."""
    application_id = ApplicationId("0b0e7c4a-6f0f-4d2e-9a55-3c1d2e4f5a6b")
    return Revealed(new_token(), CAMPAIGN.id, application_id, Receipt("W-7K3M-9Q2P-6"), person, CODE)


@FORMS
def test_a_rehearsal_is_labelled_on_both_sides(campaign: Campaign) -> None:
    rehearsal = campaign.model_copy(update={"rehearsal": True})
    sides = texts(print_cards(TYPESETTER, rehearsal, [CARD]).pdf)
    assert all("訓練" in "".join(side.split()) for side in sides)


@pytest.mark.parametrize(
    ("code", "address", "numbers"),
    [
        (TOWN, "新宿区歌舞伎町1-4-1", "1-4-1"),
        (TOWN, "新宿区歌舞伎町", None),
        (TOWN, "新宿区歌舞伎町A棟", None),
        (PostalCode(CodeKind.CATCH_ALL), "新宿区どこか1-4-1", None),
        (PostalCode(CodeKind.UNKNOWN), "どこか1-4-1", None),
        (PostalCode(CodeKind.OFFICE), "新宿区歌舞伎町1-4-1", ""),
    ],
)
def test_which_addresses_have_a_barcode(code: PostalCode, address: str, numbers: str | None) -> None:
    expected = None if numbers is None else barcode.bars("1600021", numbers)
    assert customer_bars("1600021", address, code) == expected


@pytest.mark.parametrize(
    ("code", "kind", "town"),
    [
        ("1600021", CodeKind.TOWN, "歌舞伎町"),
        ("1020084", CodeKind.TOWN, "二番町"),
        ("1600000", CodeKind.CATCH_ALL, None),
        ("1608484", CodeKind.OFFICE, None),
        ("0000000", CodeKind.UNKNOWN, None),
    ],
)
def test_what_postal_codes_stand_for(code: str, kind: CodeKind, town: str | None) -> None:
    found = PostalCodes().find(code)
    assert found.kind is kind
    assert town is None or town in found.town_names


@pytest.mark.parametrize(
    "name",
    ["髙﨑 邉子", "𠮷野 濵田", "葛󠄀城 辻󠄀", "ｸﾞｴﾝ ｱﾝ", "Nguyễn Thị Ánh", "O'Brien-Müller", "渡邊 〆子", "ヴァン・ダイク"],
)
def test_names_as_people_write_them_can_be_printed(name: str) -> None:
    assert TYPESETTER.prints(name)


@pytest.mark.parametrize("name", ["한국", "สมชาย", "محمد", "花子🌸", "\ue000"])
def test_names_that_would_come_out_as_boxes_are_known_beforehand(name: str) -> None:
    assert not TYPESETTER.prints(name)


def test_a_machine_without_the_fonts_says_which_packages_to_install(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="fonts-ipamj-mincho"):
        Typesetter([tmp_path])


def test_cards_do_not_show_themselves() -> None:
    assert "渡邉" not in repr(CARD)
    assert "9Q2P-XA4D" not in repr(CARD)
