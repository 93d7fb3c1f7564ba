"""Transparency log: trees agree with RFC 6962, notes with C2SP, and proofs hold for what grew and for nothing else."""

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.encoding import b64url
from shared.merkle import leaf_hash, root
from shared.signing import SigningKey
from shared.tlog import (
    COSIGNATURE,
    Checkpoint,
    Frontier,
    Note,
    NoteError,
    NoteKey,
    cosign,
    is_consistent,
    prove_consistency,
    read_checkpoint,
    read_cosignature,
    sign_checkpoint,
    write_body,
)

KEY, OTHER = SigningKey.from_bytes(b"\x01" * 32), SigningKey.from_bytes(b"\x02" * 32)
AT = datetime(2018, 6, 1, 9, tzinfo=UTC)
LOG = Checkpoint("kuji/audit/office/1", 8, bytes(range(32)))

# The leaves and proofs of the reference tests of certificate transparency (merkle_tree_test.cc).
CT_LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
CT_PROOFS = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}

# The example of the documentation of golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def grown(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier


@pytest.mark.parametrize(("old", "size"), sorted(CT_PROOFS))
def test_proofs_agree_with_certificate_transparency(old: int, size: int):
    leaves = [leaf_hash(leaf) for leaf in CT_LEAVES[:size]]
    proof = prove_consistency(grown(leaves[:old]), leaves[old:])
    assert [node.hex() for node in proof] == CT_PROOFS[old, size]


@given(st.integers(0, 70), st.integers(0, 70), st.data())
def test_a_tree_that_grew_is_consistent_and_another_is_not(old: int, more: int, data: st.DataObject):
    leaves = [leaf_hash(bytes([number])) for number in range(old + more)]
    proof = prove_consistency(grown(leaves[:old]), leaves[old:])
    roots = root(leaves[:old]), root(leaves)
    assert grown(leaves).root() == roots[1]
    assert is_consistent(old, old + more, *roots, proof)
    assume(old and more)
    cut = data.draw(st.integers(0, old - 1))
    forked = [*leaves[:cut], leaf_hash(b"another line"), *leaves[cut + 1 :]]
    assert not is_consistent(
        old, old + more, roots[0], root(forked), prove_consistency(grown(forked[:old]), leaves[old:])
    )
    assert not is_consistent(old, old + more, *roots, [*proof, b"\x00" * 32])
    assert not is_consistent(old + more, old, roots[1], roots[0], [])


def test_a_note_of_the_go_documentation_is_read_and_verified():
    key, note = NoteKey.parse(GO_KEY), Note.parse(GO_NOTE)
    assert note.is_signed_by(key)
    assert (key.vkey, note.to_text()) == (GO_KEY, GO_NOTE)
    assert not Note.parse(GO_NOTE.replace("know what", "know  what")).is_signed_by(key)


def test_a_checkpoint_is_read_back_and_another_key_or_text_is_refused():
    text = sign_checkpoint(LOG, KEY).to_text()
    assert text.startswith(
        "kuji/audit/office/1\n8\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n\u2014 kuji/audit/office/1 "
    )
    assert read_checkpoint(Note.parse(text), [OTHER.public, KEY.public]) == LOG
    with pytest.raises(NoteError):
        read_checkpoint(Note.parse(text), [OTHER.public])
    with pytest.raises(NoteError):
        read_checkpoint(Note.parse(text.replace("\n8\n", "\n9\n")), [KEY.public])


@pytest.mark.parametrize("text", ["", "a\n", "a\n\n", GO_NOTE + "x", GO_NOTE.replace("\u2014", "-"), "\r" + GO_NOTE])
def test_what_is_no_note_is_refused(text: str):
    with pytest.raises(NoteError):
        Note.parse(text)


@pytest.mark.parametrize("vkey", ["", "a+b", GO_KEY.replace("c74f20a3", "c74f20a4"), GO_KEY + "AA"])
def test_what_is_no_key_is_refused(vkey: str):
    with pytest.raises(NoteError):
        NoteKey.parse(vkey)


def test_a_cosignature_holds_for_its_checkpoint_and_time_only():
    witness = NoteKey("kuji/witness/ward", OTHER.public, COSIGNATURE)
    note = sign_checkpoint(LOG, KEY)
    line = cosign(note.body, OTHER, witness.name, AT)
    assert read_cosignature(note.with_signature(line), witness) == AT
    assert read_checkpoint(note.with_signature(line), [KEY.public]) == LOG
    for damaged in (b"\x00" + line.content[1:-1] + b"\x00", (1).to_bytes(8, "big") + line.content[8:]):
        wrong = type(line)(line.name, line.key_id, damaged)
        with pytest.raises(NoteError):
            read_cosignature(note.with_signature(wrong), witness)
    shorter = sign_checkpoint(Checkpoint(LOG.origin, 7, LOG.root), KEY)
    with pytest.raises(NoteError):
        read_cosignature(shorter.with_signature(line), witness)
    with pytest.raises(NoteError):
        read_cosignature(note, witness)


def test_the_cosigned_message_is_that_of_the_specification():
    line = cosign(write_body(LOG), KEY, "w", AT)
    message = f"cosignature/v1\ntime {int(AT.timestamp())}\n{write_body(LOG)}".encode()
    assert KEY.sign(message) == b64url(line.content[8:])
