"""The page reads rows in pieces of any size as it reads them whole, and as the lottery's own reader does."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.lottery.record.rows import compute_root, read_rows
from tests.support.node_programs import Ask

GOOD = "".join(f"{number:032x} a:{1 + number % 3},b:1\n" for number in range(1, 3000, 2))
BAD = {
    "no line feed": GOOD[:-1],
    "upper case": GOOD.upper(),
    "an empty line": f"{GOOD}\n",
    "a short id": f"{'0' * 31} a:1\n",
    "a letter that is no digit": f"{'0' * 31}g a:1\n",
    "no choices": f"{'0' * 32} \n",
    "no seats": f"{'0' * 32} a:0\n",
    "a blank too many": f"{'0' * 32}  a:1\n",
    "a carriage return": f"{'0' * 32} a:1\r\n",
    "another alphabet": f"{'0' * 32} ａ:1\n",
    "out of order": f"{'1' * 32} a:1\n{'0' * 32} a:1\n",
    "twice": f"{'1' * 32} a:1\n" * 2,
    "a class twice": f"{'1' * 32} a:1,a:2\n",
}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.integers(0, 1500), size=st.integers(1, 200_000))
def test_pieces_of_any_size_give_the_entries_and_the_root_of_the_whole(verifier: Ask, lines: int, size: int):
    text = "".join(GOOD.splitlines(keepends=True)[:lines])
    [[whole, pieces]] = verifier("rows", [{"text": text, "size": size}])
    assert whole == pieces
    assert whole["root"] == compute_root(text)
    assert [(entry, [tuple(choice) for choice in choices]) for entry, choices in whole["entries"]] == [
        (listed.id.hex(), list(listed.choices)) for listed in read_rows(text)
    ]


def test_rows_of_another_form_are_refused_in_pieces_too(verifier: Ask):
    answers = verifier("rows", [{"text": text, "size": 7} for text in BAD.values()])
    for why, (whole, pieces) in zip(BAD, answers, strict=True):
        assert isinstance(whole, str), why
        assert whole == pieces
