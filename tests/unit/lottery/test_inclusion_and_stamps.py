"""Proofs about the list hold for the list they are of; stamps are kept for the manifest they speak of."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.record.inclusion import Leaf, check_proof, format_proof
from services.lottery.record.rows import LEAF_ROWS, leaf_hashes, read_leaf
from services.lottery.record.timestamps import InvalidTimestampError, check_timestamp
from shared.merkle import path, root
from tests.support.draw_builders import entry

FROZEN = FrozenList.of(entry(10 * number + 10, ("a", 1)) for number in range(2 * LEAF_ROWS + 7))
HASHES = leaf_hashes(FROZEN)
ROOT = root(HASHES).hex()
MANIFEST = '{"v":1}'


def proof(number: int, *indices: int) -> dict[str, object]:
    leaves = [Leaf(read_leaf(FROZEN, at).decode(), at, tuple(path(HASHES, at))) for at in indices]
    return format_proof("d-1", number.to_bytes(16, "big"), len(HASHES), leaves)


@pytest.mark.parametrize(
    ("number", "indices", "verdict"),
    [
        (10, (0,), True),
        (15, (0,), False),
        (5, (0,), False),
        (10 * (2 * LEAF_ROWS + 7), (2,), True),
        (10**9, (2,), False),
        (10 * LEAF_ROWS + 5, (0, 1), False),
        (10 * LEAF_ROWS + 5, (0,), None),
        (10 * LEAF_ROWS + 5, (1,), None),
        (10 * LEAF_ROWS + 5, (0, 2), None),
        (10 * LEAF_ROWS + 500, (0,), None),
        (10, (), None),
    ],
)
def test_a_proof_says_what_it_shows_and_no_more(number: int, indices: tuple[int, ...], verdict: object):
    assert check_proof(proof(number, *indices), ROOT) is verdict


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2 * LEAF_ROWS), st.data())
def test_no_changed_proof_holds(position: int, data: st.DataObject):
    shown = proof(10 * position + 10, position // LEAF_ROWS)
    [leaf] = shown["leaves"]  # type: ignore[misc]
    at = data.draw(st.integers(0, len(leaf["rows"]) - 1))
    leaf["rows"] = leaf["rows"][:at] + chr(ord(leaf["rows"][at]) ^ 1) + leaf["rows"][at + 1 :]
    assert check_proof(shown, ROOT) is None


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the answer of a real time-stamping authority: openssl with a key of its own."""
    folder = tmp_path_factory.mktemp("tsa")
    (folder / "manifest").write_text(MANIFEST)
    (folder / "serial").write_text("01")
    (folder / "tsa.cnf").write_text(TSA)
    for command in (
        "req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.crt -subj /CN=tsa -config tsa.cnf -extensions ext",
        "ts -query -data manifest -sha256 -cert -out query",
        "ts -reply -config tsa.cnf -queryfile query -out reply",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True, timeout=60)
    return (Path(folder) / "reply").read_bytes()


TSA = """
[req]
distinguished_name = dn
[dn]
[ext]
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = own
[own]
serial = serial
signer_cert = tsa.crt
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
"""


def test_a_stamp_of_the_manifest_is_kept_and_any_other_is_refused(token: bytes):
    check_timestamp("rfc3161", token, MANIFEST)
    with pytest.raises(InvalidTimestampError, match="another hash"):
        check_timestamp("rfc3161", token, MANIFEST + " ")
    for wrong in (b"", token[:-5], b"\x30\x03\x02\x01\x00", bytes(70_000)):
        with pytest.raises(InvalidTimestampError):
            check_timestamp("rfc3161", wrong, MANIFEST)


def test_an_open_time_stamp_must_be_of_the_manifest():
    magic = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01"
    check_timestamp("ots", magic + b"\x08" + hashlib.sha256(MANIFEST.encode()).digest() + b"...", MANIFEST)
    for wrong in (b"", magic, magic + b"\x08" + bytes(32)):
        with pytest.raises(InvalidTimestampError):
            check_timestamp("ots", wrong, MANIFEST)
