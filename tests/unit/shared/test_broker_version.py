"""Versions of RabbitMQ that the topology needs."""

import pytest

from shared.messaging.broker_version import OLDEST, numbers_of


@pytest.mark.parametrize(
    ("version", "enough"),
    [("3.9.29", False), ("3.10.8", True), ("3.13.7", True), ("4.1.0-rc.1", True), ("unknown", False), ("", False)],
)
def test_quorum_queues_with_a_time_to_live_need_a_broker_of_3_10(version: str, *, enough: bool):
    assert (numbers_of(version) >= OLDEST) is enough
