"""The setting of the broker's address names one node or several; a wrong one is refused without showing it."""

import pytest

from shared.errors import ConfigurationError
from shared.messaging.addresses import host_of, parse_addresses


@pytest.mark.parametrize(
    ("setting", "addresses"),
    [
        ("amqp://u:p@a:5672/v", ["amqp://u:p@a:5672/v"]),
        ("amqp://a", ["amqp://a"]),
        ("amqp://u:p@a:5672,b:5673,c/v", ["amqp://u:p@a:5672/v", "amqp://u:p@b:5673/v", "amqp://u:p@c/v"]),
        ("amqps://u:p%2C@a, b/", ["amqps://u:p%2C@a/", "amqps://u:p%2C@b/"]),
        ("amqp://u:p@a/v, amqp://w:q@b/v", ["amqp://u:p@a/v", "amqp://w:q@b/v"]),
        ("amqp://u:p@[::1]:5672,[::2]:5672/", ["amqp://u:p@[::1]:5672/", "amqp://u:p@[::2]:5672/"]),
        ("amqp://u:p@a,b/?heartbeat=5", ["amqp://u:p@a/?heartbeat=5", "amqp://u:p@b/?heartbeat=5"]),
    ],
)
def test_each_node_has_an_address_of_its_own(setting: str, addresses: list[str]) -> None:
    assert list(parse_addresses(setting)) == addresses


@pytest.mark.parametrize(
    "setting",
    ["", "secret", "http://u:secret@a", "amqp://", "amqp://u:secret@/v", "amqp://u:secret@a,,b/v",
     "amqp://u:secret@a:port/v", "amqp://u:secret@a:99999/v", "amqp://u:secret@a/v,http://b"],
)  # fmt: skip
def test_a_wrong_setting_is_refused_with_what_to_do_and_without_the_password(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="host1:5672,host2:5672") as refused:
        parse_addresses(setting)
    assert "secret" not in str(refused.value)


def test_the_host_for_logs_has_no_password() -> None:
    assert host_of("amqp://u:secret@a:5672/v") == "a:5672"
