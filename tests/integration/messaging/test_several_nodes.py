"""A broker of several nodes: whichever node dies or freezes, publishers and consumers go on at another one.

Two proxies in front of one real broker stand for two nodes: what is tested is the way from one address to the next.
"""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from shared.contracts import ApplicationReceived
from shared.messaging import Bus, link, publisher
from tests.support.counting_handler import Witness, all_marked, marks
from tests.support.messaging_harness import MessagingHarness, received
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import await_all, until

Nodes = tuple[TcpProxy, TcpProxy]


@pytest.fixture
def nodes(harness: MessagingHarness) -> Iterator[Nodes]:
    address = urlsplit(harness.amqp_url)
    host, port = str(address.hostname), int(address.port or 5672)
    with TcpProxy(host, port) as first, TcpProxy(host, port) as second:
        yield first, second


async def bus_at(harness: MessagingHarness, service: str, nodes: Nodes) -> Bus:
    host = urlsplit(harness.amqp_url).netloc.rpartition("@")[2]
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    return await harness.bus(service, amqp_url=harness.amqp_url.replace(host, hosts))


async def consuming(harness: MessagingHarness, nodes: Nodes) -> Bus:
    vault = await bus_at(harness, "vault", nodes)
    vault.consume(ApplicationReceived, Witness())
    return await harness.running(vault)


async def test_a_node_that_is_down_at_the_start_is_passed_over(harness: MessagingHarness, nodes: Nodes) -> None:
    nodes[0].cut()
    await consuming(harness, nodes)
    intake = await harness.running(await bus_at(harness, "intake", nodes))
    await intake.publish(received())
    await all_marked(await harness.store("vault"), 1)


async def test_a_node_that_dies_is_left_by_publishers_and_consumers(harness: MessagingHarness, nodes: Nodes) -> None:
    vault = await consuming(harness, nodes)
    intake = await harness.running(await bus_at(harness, "intake", nodes))
    before, after = received(), received()
    await intake.publish(before)
    nodes[0].cut()
    await intake.publish(after)
    store = await harness.store("vault")
    await all_marked(store, 2)
    assert await marks(store) == {before.application_id: 1, after.application_id: 1}
    await until(vault.ready)


async def test_a_node_that_freezes_is_left_although_its_connections_stay_open(
    harness: MessagingHarness, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heartbeats would notice it after half a minute; they are as good as off here."""
    monkeypatch.setattr(link, "HEARTBEAT_S", 600)
    await consuming(harness, nodes)
    intake = await harness.running(await bus_at(harness, "intake", nodes))
    await intake.publish(received())
    store = await harness.store("vault")
    await all_marked(store, 1)
    nodes[0].silence()
    await intake.publish(received())
    await until(lambda: nodes[1].connections == 2)
    nodes[0].cut()  # the cluster notices that the node is gone, and delivers again what it had pushed there
    await all_marked(store, 2)
    assert set((await marks(store)).values()) == {1}


async def test_publishes_that_wait_for_a_frozen_node_leave_it_once_and_do_not_come_back(
    harness: MessagingHarness, nodes: Nodes
) -> None:
    """Each of two publishes left a node: the second one the node to which the first had just moved."""
    intake = await harness.running(await bus_at(harness, "intake", nodes))
    await intake.publish(received())
    nodes[0].silence()
    met = nodes[0].accepted
    await await_all(intake.publish(received()), intake.publish(received()))
    assert nodes[0].accepted == met


async def test_a_node_that_does_not_answer_until_its_cluster_gives_the_frozen_one_up_is_not_left_for_that(
    harness: MessagingHarness, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services went round the cluster and came back to the frozen node while the others waited for its end."""
    monkeypatch.setattr(link, "MOVE_ON_S", 0.3)
    monkeypatch.setattr(publisher, "_NODE_S", 0.5)
    intake = await harness.running(await bus_at(harness, "intake", nodes))
    await intake.publish(received())
    nodes[0].silence()
    nodes[1].silence()
    met = nodes[0].accepted
    sending = asyncio.create_task(intake.publish(received()))
    await until(lambda: nodes[1].accepted > 0)
    await asyncio.sleep(2)  # several times what a node has where no other was left
    nodes[1].restore()
    await sending
    assert nodes[0].accepted == met
