"""Every message round-trips, is closed to unknown members, and has somebody who says it and somebody who hears it."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared import contracts
from shared.contracts import ROUTES, SERVICES, Event
from tests.support.message_samples import SAMPLES

EVENTS = {route.event for route in ROUTES}


def members(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in members(inner)}
    if isinstance(value, list):
        return {name for inner in value for name in members(inner)}
    return set()


def test_every_event_is_routed_and_every_route_has_two_ends():
    defined = {each for each in vars(contracts).values() if isinstance(each, type) and issubclass(each, Event)}
    assert defined - {Event} == EVENTS
    for route in ROUTES:
        assert route.publishers
        assert route.consumers
        assert set(route.publishers) | set(route.consumers) <= set(SERVICES)
        assert not set(route.publishers) & set(route.consumers)
    assert len({event.name for event in EVENTS}) == len(EVENTS)


def test_every_event_has_a_sample():
    assert {type(sample) for sample in SAMPLES} == EVENTS


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_message_round_trips_byte_for_byte(sample: Event):
    wire = sample.to_json()
    assert json.loads(wire)["v"] == sample.v
    assert type(sample).model_validate_json(wire) == sample
    assert type(sample).model_validate_json(wire).to_json() == wire


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_message_of_another_version_or_with_unknown_members_is_refused_without_repeating_it(sample: Event):
    for change in ({"v": sample.v + 1}, {"v": sample.v - 1}, {"secret-member": "山田"}):
        with pytest.raises(ValidationError) as caught:
            type(sample).model_validate({**sample.model_dump(), **change})
        assert "山田" not in str(caught.value)


def test_no_message_has_a_member_for_a_person():
    """R-C2: what no schema can carry, no service can say. Sealed bytes travel in the two messages that arrive only."""
    personal = {"name", "address", "phone", "age", "grade", "email", "guardian", "postal_code", "birth"}
    for sample in SAMPLES:
        assert not members(json.loads(sample.to_json())) & personal, sample.name
    assert {sample.name for sample in SAMPLES if "sealed" in members(json.loads(sample.to_json()))} == {
        "application.received",
        "paper.received",
    }


def test_a_papers_receipt_is_of_its_channel_and_its_serial_holds_no_text():
    paper = next(sample for sample in SAMPLES if sample.name == "paper.received")
    for change in ({"receipt": "P-7K3M-9Q2P-6"}, {"channel": "web"}, {"serial": "山田"}, {"serial": "A" * 33}):
        with pytest.raises(ValidationError):
            type(paper).model_validate({**paper.model_dump(), **change})


WITH_SLIPS = {"mail.requested", "print.requested"}
"""Messages by which the vault gets outcomes: it writes the text of the notice from the slip, and keeps its number."""


def test_what_each_service_hears_holds_nothing_it_must_not_know():
    """Check the table "who may know what" of docs/architecture.md against the messages."""
    forbidden = {
        "intake": {"class_id", "choices", "outcomes", "token", "contact"},
        "lottery": {"contact", "mail_domain_class", "sealed", "application_id", "code"},
        "notifier": {"sealed", "choices", "application_id"},
        "vault": {"outcomes", "outcome"},
    }
    for sample in SAMPLES:
        consumers = next(route.consumers for route in ROUTES if route.event is type(sample))
        for service in consumers:
            if (service, sample.name) not in {("vault", name) for name in WITH_SLIPS}:
                assert not members(json.loads(sample.to_json())) & forbidden[service], (service, sample.name)


def test_no_integer_of_a_message_is_larger_than_the_database_stores() -> None:
    """Before: a count of 2**63 ended in an OverflowError of the driver, and its message was tried again and again."""

    def unbounded(schema: object) -> list[object]:
        if isinstance(schema, list):
            return [found for each in schema for found in unbounded(each)]
        if not isinstance(schema, dict):
            return []
        is_open = schema.get("type") == "integer" and not {"maximum", "const", "enum"} & set(schema)
        return [schema] * is_open + [found for each in schema.values() for found in unbounded(each)]

    assert [(route.event.name, unbounded(route.event.model_json_schema())) for route in ROUTES] == [
        (route.event.name, []) for route in ROUTES
    ]
