"""Characters by parts: fewest other parts first, each as often as asked for, forms of one character together."""

import pytest

from services.vault.papers.character_parts import CharacterParts
from shared.typesetting import Typesetter


@pytest.fixture(scope="module")
def parts() -> CharacterParts:
    return CharacterParts(Typesetter().prints)


@pytest.mark.parametrize(
    ("written", "first"),
    [
        ("木目", "相"),
        ("目 木", "相"),
        ("山奇", "崎"),
        ("亻吉", "佶"),
        ("イ吉", "佶"),
        ("山 鳥", "島"),
        ("木木木", "森"),
    ],
)
def test_the_character_made_of_just_these_parts_comes_first(parts: CharacterParts, written: str, first: str) -> None:
    assert parts.find(written)[0] == first


@pytest.mark.parametrize(
    ("written", "forms"),
    [("山可", "崎﨑"), ("土口", "吉𠮷"), ("辶自穴方", "辺邉邊"), ("氵賓", "浜濱濵"), ("山鳥", "嶋嶌")],
)
def test_parts_of_parts_count_and_forms_of_a_character_share_their_parts(
    parts: CharacterParts, written: str, forms: str
) -> None:
    assert set(forms) <= set(parts.find(written)[:40])


def test_each_part_counts_as_often_as_it_is_written(parts: CharacterParts) -> None:
    assert "林" in parts.find("木木")
    assert "林" not in parts.find("木木木")
    assert parts.find("木A") == []
    assert parts.find("  ") == []


def test_only_characters_that_a_card_can_show_are_found() -> None:
    assert CharacterParts(lambda character: character == "梖").find("木目") == ["梖"]
