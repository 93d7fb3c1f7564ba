"""Test the audit chain: a changed, dropped, added or moved line is found."""

import json

from hypothesis import assume, given
from hypothesis import strategies as st

from services.vault.audit.chain import EMPTY, FIRST, AuditEvent, ChainEnd, append_events, digest, first_break
from shared.canonical import canonical
from shared.ids import CampaignId

AT = "2018-05-31T10:00:00+09:00"
codes = st.text(alphabet="abcdefghij-", min_size=1, max_size=8)
events = st.lists(
    st.builds(AuditEvent, codes, codes, codes, codes, st.just(CampaignId("777-days")), st.none() | codes, codes),
    min_size=2,
    max_size=12,
)


def written(some: list[AuditEvent], end: ChainEnd = EMPTY) -> list[str]:
    return [line.text for line in append_events(some, end, AT)[0]]


@given(events)
def test_a_chain_as_written_holds(some: list[AuditEvent]):
    assert first_break(written(some)) is None


@given(events, events)
def test_a_chain_goes_on_where_the_last_group_ended(some: list[AuditEvent], more: list[AuditEvent]):
    _, end = append_events(some, EMPTY, AT)
    assert first_break(written(some) + written(more, end)) is None


@given(events, st.data())
def test_a_part_of_a_chain_can_be_checked_by_itself(some: list[AuditEvent], data: st.DataObject):
    lines = written(some)
    cut = data.draw(st.integers(1, len(lines) - 1))
    assert first_break(lines[cut:], before=digest(lines[cut - 1])) is None
    assert first_break(lines[cut:]) == 0


@given(events, st.data(), st.sampled_from(["actor", "action", "purpose", "outcome", "subject", "at"]))
def test_a_changed_line_is_seen_at_the_next(some: list[AuditEvent], data: st.DataObject, member: str):
    lines = written(some)
    place = data.draw(st.integers(0, len(lines) - 2))
    content = json.loads(lines[place])
    lines[place] = canonical(content | {member: "changed!"}).decode()
    assert first_break(lines) == place + 1


@given(events, st.data())
def test_a_dropped_line_is_seen(some: list[AuditEvent], data: st.DataObject):
    lines = written(some)
    place = data.draw(st.integers(0, len(lines) - 2))
    del lines[place]
    assert first_break(lines) == place


@given(events, st.data())
def test_two_lines_that_changed_places_are_seen(some: list[AuditEvent], data: st.DataObject):
    lines = written(some)
    place = data.draw(st.integers(0, len(lines) - 2))
    assume(lines[place] != lines[place + 1])
    lines[place], lines[place + 1] = lines[place + 1], lines[place]
    assert first_break(lines) == place


def test_a_cut_end_is_not_seen_by_the_chain_but_by_the_checkpoint():
    """Compare with a signed checkpoint in a second place."""
    event = AuditEvent("a", "service", "open", "intake", CampaignId("777-days"), None, "opened")
    lines = written([event] * 3)
    checkpoint = {"seq": 3, "hash": digest(lines[2])}
    assert first_break(lines[:2]) is None
    assert checkpoint["hash"] not in {digest(line) for line in lines[:2]}


def test_a_line_has_the_members_of_the_protocol_and_canonical_form():
    event = AuditEvent("relay", "service", "reveal:n1", "result-notice", CampaignId("777-days"), "ab12", "revealed")
    line = written([event])[0]
    members = ["v", "seq", "at", "actor", "role", "action", "purpose", "campaign", "subject", "outcome", "prev"]
    assert sorted(json.loads(line)) == sorted(members)
    assert canonical(json.loads(line)).decode() == line
    assert json.loads(line)["prev"] == FIRST
