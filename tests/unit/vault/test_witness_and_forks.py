"""A witness cosigns one history of a log: whoever holds the vault's key cannot make it sign a second one."""

import base64
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import pytest

from deploy.witness.server import Witness
from shared.clock import FixedClock
from shared.merkle import leaf_hash
from shared.signing import SigningKey
from shared.tlog import Checkpoint, Frontier, prove_consistency, sign_checkpoint

KEY, NEXT = SigningKey.from_bytes(b"\x07" * 32), SigningKey.from_bytes(b"\x08" * 32)
ORIGIN = "kuji/audit/0123456789abcdef/1"
SEEN = ("a", "b", "c")


def tree(*lines: str) -> Frontier:
    made = Frontier()
    for line in lines:
        made.append(leaf_hash(line.encode()))
    return made


def request(old: tuple[str, ...], added: tuple[str, ...] = (), key: SigningKey = KEY) -> str:
    """Return the body of `add-checkpoint` for a log of these lines, with the right proof for it."""
    whole = tree(*old, *added)
    proof = prove_consistency(tree(*old), [leaf_hash(line.encode()) for line in added]) if old else []
    hashes = "".join(base64.b64encode(node).decode() + "\n" for node in proof)
    return f"old {len(old)}\n{hashes}\n{sign_checkpoint(Checkpoint(ORIGIN, whole.size, whole.root()), key).to_text()}"


@pytest.fixture
def keys() -> list[str]:
    """Return the pinned keys of the vault, which the test changes."""
    return [KEY.public]


@pytest.fixture
def witness(tmp_path: Path, keys: list[str]) -> Witness:
    made = Witness(tmp_path, lambda: tuple(keys), "kuji/witness/ward", FixedClock(datetime(2018, 6, 1, tzinfo=UTC)))
    assert made.add_checkpoint(request((), SEEN))[0] is HTTPStatus.OK
    return made


@pytest.mark.parametrize(
    ("fork", "status"),
    [
        (request(("a", "b", "X"), ("d",)), HTTPStatus.UNPROCESSABLE_ENTITY),
        (request(("b", "a", "c"), ("d",)), HTTPStatus.UNPROCESSABLE_ENTITY),
        (request(("a", "b", "X")), HTTPStatus.CONFLICT),
        (request((), ("a", "b", "X", "d")), HTTPStatus.CONFLICT),
        (request(("a", "b")), HTTPStatus.CONFLICT),
        (request(SEEN, ("d",), SigningKey.from_bytes(b"\x09" * 32)), HTTPStatus.FORBIDDEN),
    ],
    ids=["another line", "another order", "as long", "from the start", "shorter", "a foreign key"],
)
def test_a_second_history_is_refused_and_the_first_is_kept(witness: Witness, fork: str, status: HTTPStatus) -> None:
    before = witness.latest(ORIGIN)
    assert witness.add_checkpoint(fork)[0] is status
    assert witness.latest(ORIGIN) == before
    assert witness.add_checkpoint(request(SEEN, ("d",)))[0] is HTTPStatus.OK


def test_what_was_seen_binds_the_next_key_too_after_the_former_one_was_revoked(
    witness: Witness, keys: list[str]
) -> None:
    keys[:] = [NEXT.public]
    assert witness.add_checkpoint(request(("a", "b", "X"), ("d",), NEXT))[0] is HTTPStatus.UNPROCESSABLE_ENTITY
    assert witness.add_checkpoint(request(SEEN, ("d",), KEY))[0] is HTTPStatus.FORBIDDEN
    assert witness.add_checkpoint(request(SEEN, ("d",), NEXT))[0] is HTTPStatus.OK
