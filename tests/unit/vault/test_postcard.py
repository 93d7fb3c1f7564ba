"""Postcards as pages: two for each person whatever they are called, nothing over the edge, no text as markup."""

import ctypes
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.vault.identities.person import Person
from services.vault.printroom.cards import NotPrintableError, card_of, customer_bars
from services.vault.printroom.postcards import Card, bar_rectangles, count_pages, print_cards, qr_rectangles
from services.vault.printroom.rules import barcode
from shared.campaign import load_campaign
from shared.contracts import CardOrder, ClassPass
from shared.errors import ConfigurationError
from shared.ids import NoticeId, Receipt, Token
from shared.postal_codes import CodeKind, PostalCode, PostalCodes, PostalTown
from shared.typesetting import Typesetter

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
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
    pass_code="7K3M-9Q2P-6A4D-RT5W",
    receipt="W-7K3M-9Q2P-6",
)
PASSES = tuple(
    ClassPass(class_id=each.id, code="KP1:" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 5) for each in CAMPAIGN.classes
)
PERSON = Person(
    "髙﨑 花子", "1600021", "東京都新宿区歌舞伎町1-4-1 青葉荘2号", "0300000000", None, "p3", None, "髙﨑 太郎"
)


def order(body: str = "{{kuji:name}} 様\n結果です。", pass_code: str | None = None) -> CardOrder:
    return CardOrder(notice_id=NoticeId("n1"), token=Token("tok_" + "0" * 26), body=body, pass_code=pass_code)


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


def test_a_card_has_an_address_side_and_a_result_side_of_100_by_148_mm() -> None:
    printed = print_cards(TYPESETTER, CAMPAIGN, [CARD])
    with pypdfium2.PdfDocument(printed.pdf) as document:
        sizes = [tuple(round(side / POINTS_PER_MM) for side in page.get_size()) for page in document]
    assert sizes == [(100, 148), (100, 148)]
    address, result = texts(printed.pdf)
    assert "渡邉 𠮷之助" in address
    assert "メゾン髙﨑 503号室" in address
    assert CAMPAIGN.office.name in address
    assert "当選" in result
    assert "7K3M-9Q2P-6A4D-RT5W" in result
    assert "W-7K3M-9Q2P-6" in result


def test_the_result_is_not_on_the_address_side() -> None:
    address, _ = texts(print_cards(TYPESETTER, CAMPAIGN, [CARD]).pdf)
    assert "当選" not in address
    assert "7K3M" not in address


def test_fonts_are_embedded_as_subsets() -> None:
    used = fonts(print_cards(TYPESETTER, CAMPAIGN, [CARD]).pdf)
    assert {name.partition("+")[2] for name in used} == {"IPAmjMincho", "IPAexGothic"}
    assert all(used.values())


def test_a_batch_is_small_because_of_its_subsets() -> None:
    assert len(print_cards(TYPESETTER, CAMPAIGN, [CARD] * 20).pdf) < 400_000


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
    assert (printed.pages, printed.pdf, printed.unfit) == (0, b"", {0})


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
    printed = print_cards(TYPESETTER, CAMPAIGN, [card])
    assert printed.pages == 2
    for left, bottom, right, top in inked(printed.pdf):
        assert left >= 5
        assert right <= 95
        assert bottom >= 4
        assert top <= 146


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


def test_qr_runs_cover_exactly_the_dark_modules() -> None:
    modules, rectangles = qr_rectangles(PASSES[0].code)
    dark = {(x + step, y) for x, y, width, _ in rectangles for step in range(int(width))}
    assert modules == 45
    assert len(dark) == sum(int(width) for _, _, width, _ in rectangles)
    assert (0, 0) in dark
    assert (1, 1) not in dark


def test_every_pass_is_printed_large_enough_for_a_camera_up_to_eight_of_them() -> None:
    many = PASSES + PASSES
    for count in (0, 1, 2, 3, 4, 7, 8, 9):
        printed = print_cards(TYPESETTER, CAMPAIGN, [replace(CARD, passes=many[:count])])
        assert printed.unfit == frozenset()
        drawn = codes_on(printed.pdf)
        assert len(drawn) == min(count, 8)
        assert all(width / 45 >= 0.38 for width in drawn)


def codes_on(pdf: bytes) -> list[float]:
    """Return the widths (mm) of the QR codes on the result side, which are its only square paths."""
    with pypdfium2.PdfDocument(pdf) as document:
        paths = list(document[1].get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH]))
        bounds = [each.get_bounds() for each in paths]
        sizes = [(right - left, top - bottom) for left, bottom, right, top in bounds]
    return [width / POINTS_PER_MM for width, height in sizes if abs(width - height) < 0.1]


def test_the_name_stands_where_the_notice_wants_it() -> None:
    assert card_of(order(), PERSON, Receipt("W"), TOWN).body == "髙﨑 花子 様\n結果です。"


def test_a_name_that_looks_like_a_placeholder_stays_a_name() -> None:
    card = card_of(order(), replace(PERSON, name="{{kuji:name}}"), Receipt("W"), TOWN)
    assert card.body == "{{kuji:name}} 様\n結果です。"


def test_an_unknown_placeholder_makes_no_card() -> None:
    with pytest.raises(NotPrintableError) as refused:
        card_of(order("{{kuji:address}}"), PERSON, Receipt("W"), TOWN)
    assert refused.value.reason == "placeholder"


def test_pupils_are_addressed_with_their_guardians_whose_names_stay_off_the_card() -> None:
    pupil = card_of(order(), PERSON, Receipt("W"), TOWN)
    adult = card_of(order(), replace(PERSON, grade=None, age=34, guardian_name=None), Receipt("W"), TOWN)
    assert (pupil.guardian, adult.guardian) == (True, False)
    address, _ = texts(print_cards(TYPESETTER, CAMPAIGN, [pupil]).pdf)
    assert "保護者様" in address
    assert "太郎" not in address


def test_a_rehearsal_is_labelled_on_both_sides() -> None:
    rehearsal = CAMPAIGN.model_copy(update={"rehearsal": True})
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
