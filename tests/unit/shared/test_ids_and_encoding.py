"""Ids, base32, base64url, signatures: one byte string has one text, and a wrong text is refused."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from shared import crockford
from shared.canonical import canonical
from shared.encoding import b64url, unb64url
from shared.ids import derived_event_id, is_token, new_application_id, new_token, parse_application_id
from shared.signing import SigningKey, verify, verify_document

# RFC 8032 §7.1, test 2.
RFC8032_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
RFC8032_PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
RFC8032_SIGNATURE = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


@given(st.binary(max_size=64))
def test_base64url_round_trips(data: bytes):
    assert unb64url(b64url(data)) == data


@pytest.mark.parametrize("text", ["ab=", "a", "ab+d", "ab/d", "QR", "あ", " ", "YQ\n"])
def test_base64url_refuses_any_second_spelling(text: str):
    with pytest.raises(ValueError, match="base64url") as caught:
        unb64url(text)
    assert text.strip() not in str(caught.value) or len(text.strip()) < 2


def test_crockford_gives_a_token_its_26_characters():
    assert crockford.encode(bytes(16), 26) == "0" * 26
    assert crockford.encode(b"\xff" * 16, 26) == "Z" * 25 + "W"


@given(st.text(alphabet=crockford.ALPHABET, min_size=8, max_size=8), st.integers(0, 7), st.integers(1, 31))
def test_the_check_symbol_finds_one_wrong_symbol(symbols: str, at: int, shift: int):
    other = crockford.ALPHABET[(crockford.ALPHABET.index(symbols[at]) + shift) % 32]
    assert crockford.check_character(symbols) != crockford.check_character(symbols[:at] + other + symbols[at + 1 :])


@given(st.text(alphabet=crockford.ALPHABET, min_size=8, max_size=8), st.integers(0, 6))
def test_the_check_symbol_finds_two_swapped_neighbours(symbols: str, at: int):
    swapped = symbols[:at] + symbols[at + 1] + symbols[at] + symbols[at + 2 :]
    if swapped != symbols:
        assert crockford.check_character(symbols) != crockford.check_character(swapped)


def test_tokens_are_tokens_and_nothing_else_is():
    assert is_token(new_token())
    assert not is_token("tok_" + "l" * 26)
    assert not is_token(new_token() + "0")


def test_an_application_id_has_one_spelling():
    made = new_application_id()
    assert parse_application_id(made) == made
    for other in (made.upper(), "{" + made + "}", made.replace("-", ""), "00000000-0000-1000-8000-000000000000"):
        with pytest.raises(ValueError, match="UUID"):
            parse_application_id(other)


def test_the_same_parts_give_the_same_event_id_and_parts_are_not_concatenated():
    assert derived_event_id("a", "b") == derived_event_id("a", "b")
    assert derived_event_id("a", "b") != derived_event_id("ab")


SIMPLE = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8"))
JSON_VALUES = st.recursive(
    SIMPLE | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text('aAzZ09_-\x00\x1f\x7f"\\', max_size=4), SIMPLE) | st.lists(JSON_VALUES))
def test_the_quick_way_to_canonical_json_gives_the_same_bytes(value: dict[str, object] | list[object]):
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("number", [2**53, -(2**53)])
def test_canonical_json_refuses_integers_that_no_double_holds(number: int):
    with pytest.raises(ValueError, match=str(number)):
        canonical({"n": [number]})


def test_canonical_json_orders_members_and_keeps_utf8():
    assert canonical({"b": 1, "a": "髙", "€": True}) == '{"a":"髙","b":1,"€":true}'.encode()


def test_signatures_agree_with_rfc_8032():
    key = SigningKey.from_bytes(RFC8032_SEED)
    assert unb64url(key.public).hex() == RFC8032_PUBLIC
    assert unb64url(key.sign(b"\x72")).hex() == RFC8032_SIGNATURE
    assert verify(key.public, b"\x72", key.sign(b"\x72"))
    assert not verify(key.public, b"\x73", key.sign(b"\x72"))


def test_a_signed_document_that_changed_does_not_verify():
    key = SigningKey.generate()
    document = key.sign_document({"v": 1, "campaign": "777-days"})
    assert verify_document(key.public, document)
    assert not verify_document(key.public, {**document, "campaign": "778-days"})
    assert not verify_document(key.public, {**document, "signature": None})
    assert not verify_document(SigningKey.generate().public, document)


def test_a_signing_key_does_not_show_itself():
    key = SigningKey.from_bytes(RFC8032_SEED)
    assert RFC8032_SEED.hex() not in repr(key)
