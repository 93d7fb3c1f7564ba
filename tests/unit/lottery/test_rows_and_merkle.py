"""The committed list: one byte form, one root, short proofs."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.record.rows import (
    LEAF_ROWS,
    InvalidRowsError,
    compute_root,
    leaf_hashes,
    leaves,
    read_leaf,
    read_rows,
    write_rows,
)
from shared.merkle import leaf_hash, path, root, root_from_path
from tests.support.draw_builders import entry

CHOICES = st.lists(
    st.tuples(st.sampled_from(["a", "b-1", "c"]), st.integers(1, 9)), min_size=1, unique_by=lambda c: c[0]
)
ENTRIES = st.lists(st.builds(Entry, st.binary(min_size=16, max_size=16), CHOICES.map(tuple)), unique_by=lambda e: e.id)

# The leaves and roots of the reference tests of certificate transparency (RFC 6962 §2.1.3 describes the tree).
CT_LEAVES = [bytes.fromhex(each) for each in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
CT_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert root([]) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", sorted(CT_ROOTS))
def test_roots_agree_with_certificate_transparency(size: int):
    assert root([leaf_hash(leaf) for leaf in CT_LEAVES[:size]]).hex() == CT_ROOTS[size]


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_every_leaf_proves_itself_and_no_other(content: list[bytes], data: st.DataObject):
    index = data.draw(st.integers(0, len(content) - 1))
    hashes = [leaf_hash(leaf) for leaf in content]
    proof = path(hashes, index)
    assert root_from_path(content[index], index, len(content), proof) == root(hashes)
    assert root_from_path(content[index] + b"!", index, len(content), proof) != root(hashes)
    assert root_from_path(content[index], index, len(content), [*proof, b"\x00" * 32]) is None


@given(ENTRIES)
def test_rows_round_trip_in_order_of_ids(entries: list[Entry]):
    assert read_rows(write_rows(entries)) == sorted(entries, key=lambda each: each.id)


def test_a_row_is_the_documented_line():
    assert write_rows([entry(1, ("a", 1), ("b-1", 2))]) == "0" * 31 + "1 a:1,b-1:2\n"


def test_leaves_are_runs_of_1024_lines():
    frozen = FrozenList.of(entry(number, ("a", 1)) for number in range(2 * LEAF_ROWS + 5))
    text = "".join(frozen.texts())
    assert [leaf.count(b"\n") for leaf in leaves(text)] == [LEAF_ROWS, LEAF_ROWS, 5]
    assert list(leaves(text)) == [read_leaf(frozen, number) for number in range(3)]
    assert compute_root(text) == root(leaf_hashes(frozen)).hex()


def test_an_entry_cannot_stand_twice():
    with pytest.raises(InvalidRowsError, match="twice"):
        write_rows([entry(1, ("a", 1)), entry(1, ("b", 1))])


@pytest.mark.parametrize(
    "text",
    [
        "x\n",
        "0" * 32 + " a:1",
        "0" * 32 + " a:0\n",
        "0" * 32 + " a:01\n",
        "0" * 32 + " a:1,\n",
        "0" * 32 + " a:1,a:2\n",
        "0" * 32 + " a:1\r\n",
        "A" * 32 + " a:1\n",
        "1".rjust(32, "0") + " a:1\n" + "0" * 32 + " a:1\n",
        "0" * 32 + " a:1\n" + "0" * 32 + " a:1\n",
        "0" * 32 + " あ:1\n",
        "\n",
    ],
)
def test_any_other_form_is_refused(text: str):
    with pytest.raises(InvalidRowsError, match="line"):
        read_rows(text)
