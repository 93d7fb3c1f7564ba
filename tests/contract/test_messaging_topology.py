"""The broker's topology and the rights on it say exactly what the routes say."""

import re

import pytest

from shared.contracts import ROUTES, SERVICES, Event
from shared.contracts.base import Value
from shared.errors import ConfigurationError
from shared.messaging.access import User, definitions, permissions, topic_permissions
from shared.messaging.names import Names
from shared.messaging.topology import RETRY_DELAYS_S, describe

NAMES = Names("ns")
USERS = [User(service, "p", service) for service in SERVICES]


def all_events() -> set[type[Event]]:
    """Return the classes of the contracts that have a name on the wire."""

    def below(kind: type[Value]) -> set[type[Value]]:
        return {kind, *(found for child in kind.__subclasses__() for found in below(child))}

    return {kind for kind in below(Event) if "name" in vars(kind) and kind.__module__.startswith("shared.contracts")}


def test_every_event_has_a_route_with_a_publisher_and_a_consumer() -> None:
    assert {route.event for route in ROUTES} == all_events()
    assert len({route.event.name for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert route.publishers, route.event.name
        assert route.consumers, route.event.name
        assert set(route.publishers) | set(route.consumers) <= set(SERVICES)


def test_each_consumer_of_a_route_has_one_queue_bound_by_the_events_name() -> None:
    bindings = {
        (binding.queue, binding.routing_key) for binding in describe("ns").bindings if binding.exchange == NAMES.events
    }
    assert bindings == {
        (NAMES.queue(consumer, route.event), route.event.name) for route in ROUTES for consumer in route.consumers
    }


def test_the_definitions_hold_exactly_the_queues_of_routes_delays_and_parking() -> None:
    queues = {queue["name"] for queue in definitions(USERS, "ns")["queues"]}
    assert queues == {
        *(NAMES.queue(consumer, route.event) for route in ROUTES for consumer in route.consumers),
        *(NAMES.delay_queue(delay_s) for delay_s in RETRY_DELAYS_S),
        *(NAMES.parked(service) for service in SERVICES),
        *(NAMES.untrusted(service) for service in SERVICES),
    }


def test_every_binding_leads_from_an_exchange_to_a_queue_that_exist() -> None:
    document = definitions(USERS, "ns")
    exchanges = {exchange["name"] for exchange in document["exchanges"]}
    queues = {queue["name"] for queue in document["queues"]}
    for binding in document["bindings"]:
        assert binding["source"] in exchanges
        assert binding["destination"] in queues
    assert {binding["destination"] for binding in document["bindings"]} == queues


def test_every_queue_is_a_durable_quorum_queue_and_only_records_of_untrusted_messages_are_dropped() -> None:
    for queue in definitions(USERS)["queues"]:
        assert queue["durable"]
        assert not queue["auto_delete"]
        assert queue["arguments"]["x-queue-type"] == "quorum"
        record = queue["name"] in {Names().untrusted(service) for service in SERVICES}
        assert queue["arguments"]["x-overflow"] == ("drop-head" if record else "reject-publish")
        assert ("x-max-length" in queue["arguments"]) == record
        assert "x-expires" not in queue["arguments"]


def test_whatever_leaves_a_queue_by_itself_goes_somewhere_at_least_once() -> None:
    """Check the dead-letter route: a time to live or a delivery limit without it would lose messages."""
    topology = describe("ns")
    exchanges = {exchange.name for exchange in topology.exchanges} | {""}
    for queue in topology.queues:
        arguments = queue.arguments
        if queue.name in {name(service) for service in SERVICES for name in (NAMES.parked, NAMES.untrusted)}:
            assert arguments["x-delivery-limit"] >= 1_000_000
            assert "x-message-ttl" not in arguments
        else:
            assert arguments["x-dead-letter-strategy"] == "at-least-once"
            assert arguments["x-dead-letter-exchange"] in exchanges


def test_a_delay_queue_keeps_the_routing_key_so_that_it_serves_all_queues() -> None:
    delay_queues = [queue for queue in describe("ns").queues if queue.name.startswith("ns.kuji.wait.")]
    assert [delay_queue.arguments["x-message-ttl"] for delay_queue in delay_queues] == [
        delay_s * 1000 for delay_s in RETRY_DELAYS_S
    ]
    for delay_queue in delay_queues:
        assert "x-dead-letter-routing-key" not in delay_queue.arguments


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_configures_nothing_and_reads_its_own_queues_only(service: str) -> None:
    rights = permissions(service, "ns")
    names = {queue.name for queue in describe("ns").queues}
    own = {
        NAMES.parked(service),
        NAMES.untrusted(service),
        *(NAMES.queue(service, route.event) for route in ROUTES if service in route.consumers),
    }
    assert {name for name in names if re.search(rights.read, name)} == own
    assert not [name for name in names if re.search(rights.configure, name)]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_say_exactly_the_events_it_publishes(service: str) -> None:
    (right,) = [right for right in topic_permissions(service, "ns") if right.exchange == NAMES.events]
    said = {route.event.name for route in ROUTES if re.search(right.write, route.event.name)}
    assert said == {route.event.name for route in ROUTES if service in route.publishers}


@pytest.mark.parametrize("service", SERVICES)
def test_rights_in_one_namespace_are_none_in_another(service: str) -> None:
    rights = permissions(service, "ns")
    foreign = describe("other")
    for name in [*(queue.name for queue in foreign.queues), *(exchange.name for exchange in foreign.exchanges)]:
        assert not re.search(rights.read, name)
        assert not re.search(rights.write, name)
    assert not re.search(rights.write, "")
    assert not re.search(rights.write, "amq.default")


def test_only_services_have_rights() -> None:
    with pytest.raises(ConfigurationError, match="intake, lottery, notifier, vault"):
        permissions("reception")


def test_names_fit_into_the_protocols_short_strings() -> None:
    topology = describe("n" * 32)
    assert all(len(queue.name.encode()) <= 255 for queue in topology.queues)


def test_each_user_of_the_definitions_has_rights_on_the_vhost() -> None:
    document = definitions([*USERS, User("root", "p")])
    assert {user["name"] for user in document["users"]} == {right["user"] for right in document["permissions"]}
    assert {right["user"] for right in document["topic_permissions"]} == set(SERVICES)
