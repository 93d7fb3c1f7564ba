"""Bounce addresses (`docs/protocols.md` §3): the exact bytes, and what mail servers make of a local part."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.mail.rules.bounce_address import BounceAddresses

KEY = bytes(range(32))
ADDRESSES = BounceAddresses("bounces.example", KEY)
NOTICE = "n-0123456789abcdef0123"
ADDRESS = "b+0123456789abcdef0123.ezeegae4s9@bounces.example"
"""Computed with `openssl dgst -sha256 -mac HMAC` over the 36 bytes of the protocol."""


def crockford_of(digest: bytes) -> str:
    """Write the first 50 bits as ten characters of five bits, most significant first."""
    bits = "".join(f"{byte:08b}" for byte in digest)[:50]
    return "".join("0123456789abcdefghjkmnpqrstvwxyz"[int(bits[at : at + 5], 2)] for at in range(0, 50, 5))


def test_the_address_has_the_bytes_of_the_protocol() -> None:
    signed = b"kuji/bounce/2\x00n-0123456789abcdef0123"
    assert crockford_of(hmac.new(KEY, signed, hashlib.sha256).digest()) == "ezeegae4s9"
    assert ADDRESSES.format(NOTICE) == ADDRESS


@pytest.mark.parametrize(
    "written",
    [
        ADDRESS,
        ADDRESS.upper(),
        "B+0123456789abcdef0123.EZEEGAE4S9@Bounces.Example",
        '"b+0123456789abcdef0123.ezeegae4s9"@bounces.example',
        '"B+0123456789ABCDEF0123.EZEEGAE4S9"@BOUNCES.EXAMPLE',
        '"b\\+0123456789abcdef0123\\.ezeegae4s9"@bounces.example',
        "b+0123456789abcdef0123.ezeegae4s9@bounces.example.",
    ],
)
def test_an_address_is_read_in_each_form_in_which_mail_servers_write_it(written: str) -> None:
    assert ADDRESSES.parse(written) == NOTICE


@pytest.mark.parametrize(
    "written",
    [
        ADDRESS.replace("s9@", "s8@"),
        ADDRESS.replace("0123.", "0124."),
        ADDRESS.replace("b+", "c+"),
        ADDRESS.replace("b+", "b-"),
        ADDRESS.replace(".ezeegae4s9", ""),
        ADDRESS.replace("ezeegae4s9", "ezeegae4s"),
        ADDRESS.replace("@bounces", "@other"),
        ADDRESS.replace("@bounces.example", ""),
        "b+0123456789abcdef0123.ezeegae4s9\n@bounces.example",
        '"b+0123456789abcdef0123.ezeegae4s9"x@bounces.example',
        "",
        "@",
        '""@bounces.example',
    ],
)
def test_an_address_that_the_vault_did_not_make_is_not_read(written: str) -> None:
    assert ADDRESSES.parse(written) is None


def test_letters_that_only_look_like_ascii_in_lower_case_are_not_read() -> None:
    """Show it with the Kelvin sign, which becomes `k`."""
    addresses = (ADDRESSES.format(f"n-{number:020x}") or "" for number in range(100))
    address = next(address for address in addresses if "k" in address)
    assert ADDRESSES.parse(address) is not None
    assert ADDRESSES.parse(address.replace("k", "\N{KELVIN SIGN}")) is None


def test_another_key_makes_another_address() -> None:
    assert BounceAddresses("bounces.example", bytes(32)).parse(ADDRESS) is None


def test_an_id_of_another_form_has_no_address() -> None:
    assert ADDRESSES.format("m-0123456789abcdef") is None


@given(st.text(max_size=80))
def test_any_text_is_refused_without_an_exception(written: str) -> None:
    assert ADDRESSES.parse(written) is None
    assert ADDRESSES.parse(f"{written}@bounces.example") is None
