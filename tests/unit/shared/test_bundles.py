"""Several events in one message: taken apart they are what they were, and no message grows beyond its limits."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.ids import new_event_id
from shared.messaging.envelope import BUNDLE_BYTES, BUNDLE_EVENTS, EVENT_IDS, Envelope, bundles
from shared.service_keys import EventSignature

sizes = st.one_of(st.integers(2, 300), st.sampled_from([BUNDLE_BYTES // 3, BUNDLE_BYTES, BUNDLE_BYTES + 1]))


def envelopes_of(lengths: list[int]) -> list[Envelope]:
    signature = EventSignature("intake", "0" * 16, "c2lnbmVk")
    return [
        Envelope(new_event_id(), "application.received", b'"' + b"x" * (length - 2) + b'"', signature=signature)
        for length in lengths
    ]


@given(st.lists(sizes, max_size=160))
def test_a_bundle_taken_apart_has_the_same_items_in_the_same_order(lengths: list[int]):
    envelopes = envelopes_of(lengths)
    assert [each for message in bundles(envelopes) for each in Envelope.read_all(message)] == envelopes


@given(st.lists(sizes, max_size=160))
def test_no_bundle_is_larger_than_its_limits_unless_one_event_is(lengths: list[int]):
    for message in bundles(envelopes_of(lengths)):
        count = len(Envelope.read_all(message))
        assert count <= BUNDLE_EVENTS
        assert count == 1 or len(message.body) <= BUNDLE_BYTES + count


def test_small_events_share_as_few_messages_as_the_limits_allow():
    assert len(list(bundles(envelopes_of([100] * (2 * BUNDLE_EVENTS + 1))))) == 3


def test_one_event_alone_travels_as_it_always_did():
    [envelope] = envelopes_of([40])
    [message] = bundles([envelope])
    assert EVENT_IDS not in message.headers
    assert Envelope.read(message) == envelope


def test_a_bundle_whose_ids_and_lines_differ_in_number_is_one_message_without_an_event_id():
    [message] = bundles(envelopes_of([40, 50]))
    message.body += b"\n{}"
    [read] = Envelope.read_all(message)
    assert read.event_id == ""


def test_events_signed_before_and_after_a_rotation_travel_apart():
    old, new = envelopes_of([10, 10]), envelopes_of([10])
    rotated = [replace(new[0], signature=replace(new[0].signature, key="1" * 16))]
    messages = list(bundles([*old, *rotated]))
    assert [message.headers["kuji-key"] for message in messages] == ["0" * 16, "1" * 16]
    assert [envelope for message in messages for envelope in Envelope.read_all(message)] == [*old, *rotated]
