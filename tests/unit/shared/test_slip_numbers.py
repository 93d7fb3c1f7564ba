"""The number in a draw's id, which slips and their order depend on."""

import pytest

from shared.errors import PermanentError
from shared.ids import DrawId
from shared.slip_numbers import is_numbered, number_of_draw


@pytest.mark.parametrize(("draw", "number"), [("777-days-1", 1), ("777-days-12", 12), ("a-b-3-999999999", 999_999_999)])
def test_a_draws_id_ends_with_its_number(draw: str, number: int) -> None:
    assert number_of_draw(DrawId(draw)) == number
    assert is_numbered(DrawId(draw))


@pytest.mark.parametrize(
    "draw",
    ["777-days", "NaN", "", "-1", "777-days-", "777-days-0", "777-days-01", "d-1_0", "d-１", "d-1\n", "d-9999999999"],
)
def test_an_id_of_another_form_can_never_be_handled(draw: str) -> None:
    with pytest.raises(PermanentError, match="does not end with its number"):
        number_of_draw(DrawId(draw))
    assert not is_numbered(DrawId(draw))
