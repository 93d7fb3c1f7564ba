"""Answers as people see them: no Python in them, and no id that is cut."""

import json

import pytest

from deploy.cli.output import show, show_one

ID = "3f2b8f6e-6a2b-4bb0-9a52-0c9a3c1f7d55"
DRAW = {
    "state": "frozen",
    "waits_for": ["dice"],
    "rehearsal": True,
    "reason": None,
    "beacon": {"round": 31, "relays": []},
    "stamps": [{"kind": "rfc3161", "at": "2018-05-28"}, {"kind": "ots", "at": "2018-05-29"}],
}


@pytest.fixture(autouse=True)
def window_of_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_nested_members_are_printed_without_python_syntax(capsys: pytest.CaptureFixture[str]) -> None:
    show_one(DRAW, as_json=False)

    text = capsys.readouterr().out
    assert not [mark for mark in ("{", "}", "'", "[", "None", "True") if mark in text]
    for part in ("waits_for", "dice", "yes", "beacon.round", "kind rfc3161, at 2018-05-28", "kind ots"):
        assert part in text


def test_an_id_in_a_table_too_wide_for_the_window_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"application_id": ID, "receipt": "W-7K3M-9Q2P-6", "match": ID, "doubts": ["name", "phone"]}] * 2

    show(rows, ("application_id", "receipt", "match", "doubts"), as_json=False, empty="nothing")

    text = capsys.readouterr().out
    assert text.count(ID) == 4
    assert "doubts: name, phone" in text


def test_a_long_value_of_one_answer_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    show_one({"manifest_sha256": "0123456789abcdef" * 5}, as_json=False)

    assert "0123456789abcdef" * 5 in capsys.readouterr().out


def test_rows_that_fit_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"id": "a", "won": 1}], ("id", "won"), as_json=False, empty="nothing")

    assert "┃ id ┃ won ┃" in capsys.readouterr().out


def test_a_machine_reads_the_answer_as_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    show_one(DRAW, as_json=True)

    assert json.loads(capsys.readouterr().out) == DRAW
