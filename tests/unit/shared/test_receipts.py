"""Receipt numbers survive the telephone: what was misheard is noticed, what was heard right is found."""

import hmac
import json
import re
import uuid
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared import crockford, receipts
from shared.contracts import Channel
from shared.ids import ApplicationId, Receipt, ReceiptField
from shared.receipts import candidates

CASES = json.loads((Path(__file__).resolve().parents[2] / "cases" / "receipts.json").read_text("utf-8"))
KEY = bytes(range(32))
CHANNELS = st.sampled_from(["web", "fax", "post"])
IDS = st.uuids(version=4).map(lambda value: ApplicationId(str(value)))


def first(channel: Channel, application_id: ApplicationId) -> Receipt:
    return next(candidates(KEY, channel, application_id))


def test_a_number_is_the_same_in_every_release():
    application = ApplicationId("7b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21")
    # made apart from our own code: base64.b32encode of the HMAC's first 5 bytes, in Crockford's alphabet
    assert first("web", application) == "W-VHM0-B09Z-7"
    assert first("fax", application).startswith("F-")
    assert first("post", application).startswith("P-")


def test_a_number_depends_on_the_receipt_key_of_the_campaign():
    """Otherwise anybody could compute receipt numbers from application ids (a8)."""
    application = ApplicationId("7b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21")
    assert first("web", application) != next(candidates(bytes(32), "web", application))


@given(channel=CHANNELS, application_id=IDS)
def test_every_number_has_the_documented_form(channel: Channel, application_id: ApplicationId):
    number = first(channel, application_id)
    assert re.fullmatch(r"[WFP]-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]", number)
    assert TypeAdapter(ReceiptField).validate_python(number) == number


@given(channel=CHANNELS, application_id=IDS)
def test_a_number_that_was_read_out_is_read_back(channel: Channel, application_id: ApplicationId):
    number = first(channel, application_id)
    assert receipts.normalise_receipt(number) == number
    assert receipts.normalise_receipt(number.lower().replace("-", " ")) == number
    assert receipts.normalise_receipt(number.replace("0", "O").replace("1", "l").replace("-", "")) == number


@given(channel=CHANNELS, application_id=IDS, position=st.integers(1, 9), symbol=st.sampled_from(crockford.ALPHABET))
def test_one_wrong_symbol_is_noticed(channel: Channel, application_id: ApplicationId, position: int, symbol: str):
    plain = first(channel, application_id).replace("-", "")
    assume(plain[position] != symbol)
    with pytest.raises(ValueError, match="read out again"):
        receipts.normalise_receipt(plain[:position] + symbol + plain[position + 1 :])


@given(channel=CHANNELS, application_id=IDS, position=st.integers(1, 8))
def test_two_neighbours_that_changed_places_are_noticed(channel: Channel, application_id: ApplicationId, position: int):
    plain = first(channel, application_id).replace("-", "")
    assume(plain[position] != plain[position + 1])
    swapped = plain[:position] + plain[position + 1] + plain[position] + plain[position + 2 :]
    with pytest.raises(ValueError, match="read out again"):
        receipts.normalise_receipt(swapped)


@pytest.mark.parametrize("case", CASES["right"], ids=lambda case: ascii(case["typed"]))
def test_a_number_is_read_in_every_spelling(case: dict[str, str]):
    assert receipts.normalise_receipt(case["typed"]) == case["receipt"]


@pytest.mark.parametrize("text", CASES["wrong"], ids=ascii)
def test_a_wrong_number_is_refused_without_being_repeated(text: str):
    with pytest.raises(ValueError, match="not a receipt number") as caught:
        receipts.normalise_receipt(text)
    assert len(text) < 2 or text not in str(caught.value)


@given(application_id=IDS)
def test_numbers_whose_check_symbol_cannot_be_read_out_are_passed_over(application_id: ApplicationId):
    numbers = [number for number, _ in zip(candidates(KEY, "web", application_id), range(40), strict=False)]
    assert all(number[-1] in crockford.ALPHABET for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_a_counter_with_an_unreadable_check_symbol_takes_the_next():
    """Five of 37 check symbols are unreadable, so among many ids some must have been passed over."""
    identities = [ApplicationId(str(uuid.UUID(int=(1 << 79) | (4 << 76) | (2 << 62) | n))) for n in range(200)]
    direct = [crockford.encode(_digest(each, 0), 8) for each in identities]
    passed_over = [
        each
        for each, symbols in zip(identities, direct, strict=True)
        if crockford.check_character(symbols) not in crockford.ALPHABET
    ]
    assert passed_over
    for each in passed_over:
        assert first("web", each).replace("-", "")[1:9] != crockford.encode(_digest(each, 0), 8)


def _digest(application_id: ApplicationId, counter: int) -> bytes:
    return hmac.digest(KEY, uuid.UUID(application_id).bytes + counter.to_bytes(4, "big"), "sha256")
