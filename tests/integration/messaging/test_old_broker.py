"""A broker that is too old is named in the log and in the error, and no consumer attaches to it."""

import pytest

from shared.errors import ConfigurationError
from shared.messaging import broker_version
from shared.messaging.errors import BrokerTooOldError
from shared.messaging.link import Link
from shared.messaging.topology import declare


async def test_a_broker_without_what_the_topology_needs_is_refused(
    amqp_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(broker_version, "OLDEST", (99, 1))
    link = Link(amqp_url, "test", 5.0)
    with pytest.raises(BrokerTooOldError, match=r"RabbitMQ \d+\.\d+\.\d+ is too old; install 99\.1 or later"):
        await link.connection()
    await link.close()
    assert "broker-too-old" in capsys.readouterr().out
    with pytest.raises(ConfigurationError, match=r"install 99\.1"):
        await declare(amqp_url, namespace)
