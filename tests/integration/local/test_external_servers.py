"""Servers named by KUJI_AMQP_URL and KUJI_MONGO_URL are used instead of private ones, and left as they were found."""

from urllib.parse import urlsplit, urlunsplit

import pika
import psutil
import pytest
from pika.exceptions import ChannelClosedByBroker
from pymongo import MongoClient

from deploy.local.external_servers import clear_broker
from tests.support.checkouts import SERVERS, Checkout


def databases(url: str) -> set[str]:
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=10_000) as client:
        return set(client.list_database_names())


def has_queue(url: str, name: str) -> bool:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        connection.channel().queue_declare(name, passive=True)
    except ChannelClosedByBroker:
        return False
    finally:
        connection.close()
    return True


def setting(checkout: Checkout, service: str, name: str) -> str:
    pid = next(pid for pid, named in checkout.processes().items() if named == f"services.{service}")
    return psutil.Process(pid).environ()[name]


def test_given_servers_are_used_under_names_of_ones_own_and_left_as_they_were_found(
    checkout: Checkout, amqp_url: str, mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUJI_AMQP_URL", amqp_url)
    monkeypatch.setenv("KUJI_MONGO_URL", mongo_url)
    before = databases(mongo_url)

    assert checkout.start("up").wait(150) == 0

    states = {part: row["state"] for part, row in checkout.status().items()}
    assert states["rabbitmq"] == states["mongodb"] == "given"
    assert states["vault"] == "ready"
    assert not SERVERS & set(checkout.processes().values())
    queue = f"{setting(checkout, 'vault', 'KUJI_NAMESPACE')}.vault.parked"
    assert has_queue(amqp_url, queue)
    ours = databases(mongo_url) - before
    assert setting(checkout, "vault", "KUJI_MONGO_DATABASE") in ours
    assert not [name for name in ours if name.startswith("kuji_")]

    assert checkout.kuji("down").returncode == 0

    assert not has_queue(amqp_url, queue)
    assert databases(mongo_url) & ours == set()
    assert checkout.processes() == {}


def test_a_given_database_alone_is_never_used_under_the_name_of_a_real_one(
    checkout: Checkout, mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUJI_MONGO_URL", mongo_url)

    assert checkout.start("up").wait(150) == 0

    assert not setting(checkout, "vault", "KUJI_MONGO_DATABASE").startswith("kuji_")
    assert {row["state"] for row in checkout.status().values()} == {"ready", "running", "given"}
    assert checkout.kuji("down").returncode == 0


def test_an_external_broker_that_does_not_answer_is_named_with_advice(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUJI_AMQP_URL", "amqp://nobody:secret@127.0.0.1:1/")

    said = checkout.kuji("up")

    assert said.returncode == 1
    assert "KUJI_AMQP_URL does not answer" in said.stderr
    assert "secret" not in said.stderr
    assert checkout.processes() == {}


@pytest.mark.parametrize("given", ["no-such-host", "known"])
def test_a_broker_that_refuses_or_is_gone_while_stopping_is_said_and_stops_no_cleaning_up(
    amqp_url: str, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    """Meet a refusal, whose error is the protocol's own and not one of the network, and a closed port."""
    parts = urlsplit(amqp_url)
    refusing = urlunsplit(parts._replace(path="/no-such-virtual-host"))
    clear_broker(refusing if given == "known" else "amqp://admin:sesame@127.0.0.1:1/", "of-no-installation")
    said = capsys.readouterr().err
    assert "the queues of this installation stay on the broker of KUJI_AMQP_URL" in said
    assert (parts.password or "sesame") not in said
