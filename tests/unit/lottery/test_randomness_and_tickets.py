"""Chance: where it comes from, the key it makes, the order that follows; and that anybody's tools agree."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st
from py_ecc.bls.hash_to_curve import hash_to_G1
from py_ecc.bls.point_compression import compress_G1, compress_G2
from py_ecc.optimized_bls12_381 import G2, multiply

from services.lottery.allocation.tickets import DrawnOrder, tickets
from services.lottery.randomness.beacon import verify_beacon
from services.lottery.randomness.sources import (
    BeaconRound,
    InvalidRandomnessError,
    Randomness,
    check_beacon,
    draw_key,
)
from services.lottery.record.rows import write_rows
from shared.campaign import quicknet
from tests.support.chance import DICE
from tests.support.draw_builders import sample_entries

TAG = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"

# drand quicknet, round 1000, as its public documentation shows it.
ROUND_1000 = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
BEACON = BeaconRound(quicknet.CHAIN, quicknet.PUBLIC_KEY, 1000)


def test_a_real_beacon_value_is_accepted_for_its_round_only():
    assert check_beacon(ROUND_1000, BEACON) == ROUND_1000
    assert not verify_beacon(ROUND_1000, quicknet.PUBLIC_KEY, 1001)


@pytest.mark.parametrize(
    "value",
    [
        "",
        ROUND_1000[:-2],
        ROUND_1000.upper(),
        ROUND_1000[:-1] + "8",
        "c0" + "00" * 47,
        "00" * 48,
        "zz" * 48,
    ],
)
def test_any_other_beacon_value_is_refused(value: str):
    with pytest.raises(InvalidRandomnessError):
        check_beacon(value, BEACON)


@given(st.text(), st.text(alphabet="0123456789"), st.text(alphabet="0123456789abcdef"))
def test_the_key_is_the_documented_hash(manifest: str, dice: str, beacon: str):
    expected = hashlib.sha256(f"{manifest}\n{dice}\n{beacon}\n".encode()).digest()
    assert draw_key(manifest, Randomness(dice or None, beacon or None)) == expected


def test_tickets_agree_with_the_aes_of_fips_197():
    """Appendix C.3: the equivalent inverse cipher with a 256-bit key."""
    key = bytes(range(32))
    assert tickets(key, bytes.fromhex("8ea2b7ca516745bfeafc49904b496089")).hex() == "00112233445566778899aabbccddeeff"


@given(st.binary(min_size=32, max_size=32), st.lists(st.binary(min_size=16, max_size=16), unique=True, max_size=50))
def test_the_order_is_a_permutation_by_ticket(key: bytes, ids: list[bytes]):
    order = DrawnOrder(key, b"".join(ids)).run(0, len(ids)).tolist()
    assert sorted(order) == list(range(len(ids)))
    drawn = [tickets(key, ids[at]) for at in order]
    assert drawn == sorted(drawn)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.binary(min_size=8, max_size=8)), unique=True, max_size=40),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_whole_tickets_decide_where_their_first_halves_agree(drawn: list[tuple[int, bytes]], one: int, other: int):
    wanted = sorted(half.to_bytes(8, "big") + rest for half, rest in drawn)
    key, start, end = bytes(32), min(one, other), max(one, other)
    encryptor = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()  # noqa: S305  (backwards from tickets to ids)
    ids = sorted(encryptor.update(ticket) for ticket in wanted)
    order = DrawnOrder(key, b"".join(ids))
    assert [tickets(key, ids[at]) for at in order.run(start, end)] == wanted[start:end]
    assert [tickets(key, ids[at]) for at in order.backwards(start, end)] == wanted[::-1][start:end]


def test_anybody_gets_the_same_order_with_openssl(tmp_path: Path):
    """Run the one-line command of docs/protocols.md §2 in a shell."""
    if shutil.which("openssl") is None or shutil.which("xxd") is None:
        pytest.fail("install openssl and xxd: they are what outsiders check with")
    entries = sorted(sample_entries(300), key=lambda each: each.id)
    (tmp_path / "rows").write_text(write_rows(entries))
    manifest = '{"v":1}'
    script = r"""
      K=$(printf '%s\n%s\n%s\n' "$MANIFEST" "$DICE" "$SIG" | openssl dgst -sha256 -r | cut -c1-64)
      cut -c1-32 rows > ids
      xxd -r -p < ids | openssl enc -d -aes-256-ecb -nopad -K $K | xxd -p -c16 \
        | paste -d' ' - ids | LC_ALL=C sort
    """
    shown = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=30,
        env={"PATH": "/usr/bin:/bin", "MANIFEST": manifest, "DICE": DICE, "SIG": ""},
    )  # fmt: skip
    theirs = [line.split()[1] for line in shown.stdout.splitlines()]
    key = draw_key(manifest, Randomness(dice=DICE))
    ours = DrawnOrder(key, b"".join(each.id for each in entries)).run(0, len(entries))
    assert theirs == [entries[at].id.hex() for at in ours]


def test_a_beacon_with_a_key_of_ones_own_is_refused():
    """It would verify; but whoever made the key knew the value before the list was frozen."""
    secret = 12345
    upper, lower = compress_G2(multiply(G2, secret))
    own_key = (upper.to_bytes(48, "big") + lower.to_bytes(48, "big")).hex()
    message = hash_to_G1(hashlib.sha256((1000).to_bytes(8, "big")).digest(), TAG, hashlib.sha256)
    signature = f"{compress_G1(multiply(message, secret)):096x}"
    assert verify_beacon(signature, own_key, 1000)
    with pytest.raises(InvalidRandomnessError, match="another beacon"):
        check_beacon(signature, BeaconRound(quicknet.CHAIN, own_key, 1000))


def test_rounds_come_every_three_seconds():
    assert quicknet.time_of(1).isoformat() == "2023-08-23T15:09:27+00:00"
    assert (quicknet.time_of(1001) - quicknet.time_of(1)).total_seconds() == 3000
