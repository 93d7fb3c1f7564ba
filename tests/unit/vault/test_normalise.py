"""Test the normal forms of typed text; display loses no character of a name."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.vault.applications.rules import normalise
from services.vault.applications.rules.normalise import address_key, display, display_address, name_key

ANY_TEXT = st.text(max_size=60)
JAPANESE = st.text(
    alphabet="髙﨑邉邊𠮷濵齋ｱｶﾞﾊﾟｰーアがさヶ123１２３-－−‐一二十丁目番号の 　\u3099\uff9e\ufe00", max_size=40
)


@given(ANY_TEXT | JAPANESE)
@example("ﾀﾞｲｽｹ")
@example("￣")
def test_display_of_a_displayed_text_changes_nothing(text: str):
    assert display(display(text)) == display(text)
    assert display_address(display_address(text)) == display_address(text)


@given(JAPANESE)
def test_a_text_with_something_in_it_never_becomes_an_empty_key(text: str):
    assert bool(name_key(text)) == bool(text)
    assert bool(address_key(text)) == bool(text)


@given(ANY_TEXT | JAPANESE)
@example("１－４－１")
@example(" \ufe00")
def test_keys_do_not_depend_on_how_the_text_was_displayed(text: str):
    assert name_key(display(text) or text) == name_key(text)


@pytest.mark.parametrize("name", ["髙橋 一郎", "山﨑 恵子", "渡邉 剛", "渡邊 剛", "𠮷田 誠", "神\ufa19 一", "辻󠄀 誠"])
def test_display_keeps_every_character_of_a_name(name: str):
    assert display(name) == name


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("ｻﾄｳ　ﾀﾞｲｽｹ", "サトウ ダイスケ"),
        ("ﾊﾟｰｸ", "パーク"),
        ("  佐藤\u00a0\u3000一郎 ", "佐藤 一郎"),
        ("Ｓｍｉｔｈ", "Smith"),
    ],
)
def test_display_makes_width_and_spaces_even(typed: str, shown: str):
    assert display(typed) == shown


@pytest.mark.parametrize("hyphen", list(normalise.HYPHENS))
def test_every_hyphen_between_numbers_becomes_the_plain_one(hyphen: str):
    assert display_address(f"新宿区歌舞伎町1{hyphen}4{hyphen}1") == "新宿区歌舞伎町1-4-1"


def test_the_long_vowel_of_a_building_stays_a_vowel():
    assert display_address("歌舞伎町1ー4ー1 コーポ新宿") == "歌舞伎町1-4-1 コーポ新宿"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("髙橋 一郎", "高橋一郎"),
        ("山﨑　恵子", "山崎 恵子"),
        ("渡邉 剛", "渡邊 剛"),
        ("渡邉 剛", "渡辺剛"),
        ("𠮷田 誠", "吉田 誠"),
        ("齋藤 蓮", "斉藤 蓮"),
        ("ｻﾄｳ ﾚﾝ", "サトウ　レン"),
        ("さとう れん", "サトウ レン"),
        ("SMITH John", "Ｓｍｉｔｈ　ｊｏｈｎ"),
        ("邊\U000e0100見", "辺見"),
    ],
)
def test_two_spellings_of_one_name_have_the_same_key(one: str, other: str):
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), [("佐藤 蓮", "佐藤 湊"), ("林 誠", "森 誠"), ("李", "リ")])
def test_two_names_have_two_keys(one: str, other: str):
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize(
    "other",
    [
        "東京都新宿区新宿3丁目4番5号 コーポ大久保 101号室",
        "新宿区新宿3-4-5 コーポ大久保 101号室",
        "東京都新宿区新宿３－４－５　コーポ大久保　101号室",
        "東京都新宿区新宿三丁目4番5号 ｺｰﾎﾟ大久保 101号室",
        "東京都新宿区新宿３丁目４番地５ コーポ大久保101",
        "東京都新宿区新宿3ー4−5コーポ大久保101号",
    ],
)
def test_one_address_in_many_writings_has_one_key(other: str):
    assert address_key(other) == address_key("東京都新宿区新宿3-4-5コーポ大久保101")


@pytest.mark.parametrize(
    "other", ["新宿区新宿3-4-6", "新宿区新宿34-5", "新宿区新宿3-45", "新宿区西新宿3-4-5", "新宿区新宿13-4-5"]
)
def test_neighbours_do_not_share_an_address_key(other: str):
    assert address_key(other) != address_key("新宿区新宿3-4-5")


@pytest.mark.parametrize(("kanji", "digits"), [("一", 1), ("十", 10), ("十二", 12), ("二十", 20), ("二十三", 23)])
def test_kanji_numerals_before_a_block_are_numbers(kanji: str, digits: int):
    assert address_key(f"西町{kanji}丁目1") == address_key(f"西町{digits}-1")


@pytest.mark.parametrize(
    "typed",
    [
        "03-0000-0001",
        "０３－００００－０００１",
        "(03) 0000 0001",
        "+81 3 0000 0001",
        "+81-03-0000-0001",
        "03ー0000ー0001",
    ],
)
def test_a_telephone_number_is_its_digits(typed: str):
    assert normalise.phone(typed) == "0300000001"


@pytest.mark.parametrize("typed", ["03-0000-0001 内線5", "0300000001x9", "٠٣٠٠٠٠٠٠٠١"])
def test_a_telephone_number_with_something_else_in_it_does_not_become_another_number(typed: str):
    assert not (normalise.phone(typed).isascii() and normalise.phone(typed).isdigit())


@pytest.mark.parametrize("typed", ["160-0021", "〒160-0021", "１６０ー００２１", "1600021", " 160 0021 "])
def test_a_postal_code_is_seven_digits(typed: str):
    assert normalise.postal_code(typed) == "1600021"


def test_a_mail_address_keeps_its_local_part_and_lowers_its_domain():
    assert normalise.email(" Ichiro.Sato＠Docomo.EXAMPLE ") == "Ichiro.Sato@docomo.example"
