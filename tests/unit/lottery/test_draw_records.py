"""Draws and entries read back as they were written, and the table of states has no short cut."""

from datetime import UTC
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lottery.draw.rules.draw import (
    Closing,
    Draw,
    Erasure,
    GivenSource,
    PlaceProgress,
    RelayTrouble,
)
from services.lottery.draw.rules.entry import Entry
from services.lottery.draw.rules.states import DRAW_STATES, DrawState, WrongStateError
from services.lottery.record.manifest import Override, Previous
from shared.codes import EntryId, ProofDigest
from shared.ids import CampaignId, ClassId, DrawId, Receipt, Token

NAMES = st.text("abc-", min_size=1, max_size=5)
MOMENTS = st.datetimes(timezones=st.just(UTC))
COUNTS = st.integers(0, 9)
STAFF = st.just(()) | st.tuples(NAMES, NAMES)
PREVIOUS = st.builds(Previous, NAMES, st.none() | NAMES, NAMES, NAMES, NAMES, STAFF)
OVERRIDES = st.builds(Override, COUNTS, COUNTS, NAMES, NAMES, NAMES, STAFF)
PLACES = st.builds(
    PlaceProgress, COUNTS, st.dictionaries(NAMES, COUNTS, max_size=2), st.none() | COUNTS, st.none() | MOMENTS, COUNTS
)
DRAWS = st.builds(
    Draw,
    campaign=NAMES.map(CampaignId),
    id=NAMES.map(DrawId),
    number=st.integers(1, 3),
    state=st.sampled_from(DrawState),
    changes=COUNTS,
    closing=st.none() | st.builds(Closing, MOMENTS, st.none() | OVERRIDES, COUNTS, st.none() | NAMES),
    previous=st.none() | PREVIOUS,
    given_up=st.none() | PREVIOUS,
    manifest_line=st.none() | NAMES,
    signature=st.none() | NAMES,
    history=st.just(()) | st.just(({"event": "frozen", "at": "x"},)),
    dice=st.none() | NAMES,
    dice_acts=st.just(()) | st.just(({"id": "1", "at": "x"},)),
    dice_evidence=st.lists(NAMES, max_size=2).map(tuple),
    beacon_signature=st.none() | NAMES,
    given=st.lists(st.builds(GivenSource, NAMES, NAMES, MOMENTS), max_size=2).map(tuple),
    relay_troubles=st.lists(st.builds(RelayTrouble, NAMES, NAMES), max_size=2).map(tuple),
    parts_published=COUNTS,
    erasure=st.none() | st.builds(Erasure, NAMES, NAMES),
    places=PLACES,
)
PAIRS = st.lists(st.tuples(NAMES.map(ClassId), st.integers(1, 4)), max_size=3).map(tuple)
REASONS = st.lists(st.tuples(NAMES.map(ClassId), NAMES), max_size=3).map(tuple)
ENTRIES = st.builds(
    Entry,
    NAMES.map(Receipt),
    NAMES.map(CampaignId),
    st.sampled_from(["accepted", "rejected", "held"]),
    st.integers(1, 9),
    st.sampled_from(["web", "fax", "post"]),
    st.integers(1, 9),
    st.none() | NAMES.map(EntryId),
    st.none() | NAMES.map(ProofDigest),
    st.none() | NAMES.map(Token),
    st.none() | NAMES,
    PAIRS,
    REASONS,
    st.lists(NAMES, max_size=2).map(tuple),
)


@given(DRAWS)
def test_a_draw_reads_back_as_it_was_written(draw: Draw):
    assert Draw.from_document(draw.to_document()) == draw


@given(ENTRIES)
def test_an_entry_reads_back_as_it_was_written(entry: Entry):
    assert Entry.from_document(entry.to_document()) == entry


def test_a_new_draw_has_no_member_that_a_filter_expects_to_be_absent():
    document = Draw(CampaignId("c"), DrawId("c-1"), 1, DrawState.OPEN).to_document()
    assert not {"erasure", "dice", "beacon_signature", "manifest", "closing"} & set(document)


def test_a_past_draw_knows_its_campaign():
    document = {"_id": "c-1", "campaign": "c", "draw": "c-1", "number": 1, "state": "drawn"}
    assert Draw.from_document(document).campaign == "c"


def test_an_open_draw_has_no_manifest_and_no_key():
    draw = Draw(CampaignId("c"), DrawId("c-1"), 1, DrawState.OPEN)
    for read in (lambda: draw.manifest, lambda: draw.key, lambda: draw.freeze, lambda: draw.lacks_randomness):
        with pytest.raises(WrongStateError, match="open"):
            read()


def test_a_draw_passes_through_its_states_one_by_one_and_never_back():
    order = list(DrawState)
    allowed = {(source, target) for source in order for target in order if DRAW_STATES.allows(source, target)}
    assert allowed == set(pairwise(order))
    assert DRAW_STATES.final == {DrawState.PUBLISHED}
