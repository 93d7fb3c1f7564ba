"""Test envelope encryption: a record opens only with its own key and associated data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.keys.ciphers.envelope import (
    KEY_BYTES,
    NotDecryptableError,
    Sealed,
    decrypt,
    encrypt,
    seal,
    unseal,
    wipe,
)

KEY, OTHER = b"k" * KEY_BYTES, b"o" * KEY_BYTES


@given(st.binary(max_size=500), st.text(max_size=50))
def test_what_is_sealed_opens_again(plaintext: bytes, bound_to: str):
    assert unseal(KEY, seal(KEY, plaintext, bound_to), bound_to) == plaintext


def test_every_record_has_a_data_key_of_its_own():
    one, other = seal(KEY, b"same", "a"), seal(KEY, b"same", "a")
    assert one.wrapped_key != other.wrapped_key
    assert one.ciphertext != other.ciphertext
    with pytest.raises(NotDecryptableError):
        unseal(KEY, Sealed(one.wrapped_key, other.ciphertext), "a")


def test_another_key_does_not_open_it():
    with pytest.raises(NotDecryptableError):
        unseal(OTHER, seal(KEY, b"secret", "a"), "a")


def test_put_in_another_place_it_does_not_open():
    with pytest.raises(NotDecryptableError):
        unseal(KEY, seal(KEY, b"secret", "campaign\x00tok_a"), "campaign\x00tok_b")


@given(st.data())
def test_one_changed_bit_anywhere_and_it_does_not_open(data: st.DataObject):
    whole = bytearray(encrypt(KEY, b"secret", "a"))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(NotDecryptableError):
        decrypt(KEY, bytes(whole), "a")


@given(st.binary(max_size=40))
def test_bytes_of_any_length_are_refused_in_the_same_way(data: bytes):
    with pytest.raises(NotDecryptableError):
        decrypt(KEY, data, "a")


def test_a_wiped_buffer_holds_nothing():
    plaintext = unseal(KEY, seal(KEY, b"secret", "a"), "a")
    wipe(plaintext)
    assert plaintext == bytes(6)


def test_a_sealed_record_shows_nothing():
    assert "secret" not in repr(seal(KEY, b"secret", "a"))
