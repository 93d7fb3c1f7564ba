"""Copies of queues on the nodes of a broker: services and operators see them, and are warned below the wish.

One node is enough to see a wish that is not met. Queues that grow on three nodes: `./kuji test --cluster quiet`.
"""

import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr

from deploy.cli.installation import _copies
from deploy.local.rabbitmq import RabbitMQ
from shared.contracts import SERVICES
from shared.errors import ConfigurationError
from shared.messaging import BrokerUnavailableError
from shared.messaging.copies import CopiesCheck, Management, QueueCopies
from shared.messaging.grow import missing
from shared.messaging.names import Names
from shared.messaging.topology import describe
from shared.settings import ServiceSettings
from shared.web.health import report_health
from tests.integration.messaging.test_declaring import run_declare
from tests.support.private_broker import PASSWORD
from tests.support.service_keys import keys_dir

QUEUE = "vault.application.received"


def management(broker: RabbitMQ, user: str = "vault", password: str = PASSWORD) -> Management:
    url = f"http://127.0.0.1:1, http://127.0.0.1:{broker.ports.management}/"
    return Management.of(url, broker.url(user, password), 5)


def settings(broker: RabbitMQ, folder: Path, copies: int, url: str | None = None) -> ServiceSettings:
    return ServiceSettings(
        amqp_url=SecretStr(broker.url("vault", PASSWORD)),
        mongo_url=SecretStr("mongodb://nowhere"),
        mongo_database="none",
        state_dir=folder,
        service_keys_dir=keys_dir(),
        queue_copies=copies,
        queue_status_url=f"http://127.0.0.1:{broker.ports.management}" if url is None else url,
    )


async def test_a_service_reads_the_copies_of_its_queues_past_a_node_that_is_away(own_broker: RabbitMQ) -> None:
    queues = await management(own_broker).queues()
    assert set(queues) >= {queue.name for queue in describe().queues}
    assert queues[QUEUE] == QueueCopies(frozenset({own_broker.node}), frozenset({own_broker.node}), own_broker.node)


@pytest.mark.parametrize(("wished", "alarm"), [(1, None), (2, 2)])
async def test_readiness_counts_the_queues_below_the_number(
    own_broker: RabbitMQ, tmp_path: Path, wished: int, alarm: int | None
) -> None:
    check = CopiesCheck.of(settings(own_broker, tmp_path, wished), Names(), [QUEUE, "vault.parked"])
    alarms = {"queues_short_of_copies": check.count_short} if check.is_wanted else {}
    assert (await report_health({}, alarms)).alarms.get("queues_short_of_copies") == alarm
    online = {QUEUE: 1, "vault.parked": 1}
    assert await check.report() == (None if alarm is None else {"wished": 2, "online": online})


def test_the_password_never_goes_in_the_clear_where_the_broker_has_tls() -> None:
    amqp, clear = f"amqps://vault:{PASSWORD}@mq1/", "https://mq1:15671, http://mq2:15672"
    with pytest.raises(ConfigurationError, match="KUJI_QUEUE_STATUS_URL is not https") as refused:
        Management.of(clear, amqp)
    assert PASSWORD not in str(refused.value)
    assert Management.of(clear.replace("http:", "https:"), amqp).tls is not None
    assert Management.of("", amqp).urls == ()


async def test_the_password_follows_no_redirect() -> None:
    """Attack: a machine at the address of a node sends the services on to itself, without TLS."""
    asked = list[str | None]()

    class Elsewhere(BaseHTTPRequestHandler):
        """Sends every question on to another path and notes what comes with it."""

        def do_GET(self) -> None:
            if self.path == "/taken":
                asked.append(self.headers["Authorization"])
            self.send_response(302)
            self.send_header("Location", "/taken")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with pytest.raises(BrokerUnavailableError):
            await Management.of(url, f"amqp://vault:{PASSWORD}@127.0.0.1/").queues()
        server.shutdown()
    assert asked == []


async def test_a_queue_that_is_not_there_has_no_copy(own_broker: RabbitMQ, tmp_path: Path) -> None:
    check = CopiesCheck.of(settings(own_broker, tmp_path, 2), Names("absent"), ["absent.vault.parked"])
    assert await check.report() == {"wished": 2, "online": {"vault.parked": 0}}


def test_status_names_the_queues_below_the_number() -> None:
    row = _copies({"wished": 3, "online": {"vault.parked": 3, QUEUE: 1}}, "ready")
    assert row["copies"] == "1 of 3"
    assert row["state"] == f"ready; too few copies: {QUEUE} 1"
    assert "state" not in _copies({"wished": 3, "online": {QUEUE: 3}}, "ready")


@pytest.mark.parametrize("path", ["/api/users", "/api/nodes", "/api/permissions", "/api/definitions"])
async def test_the_account_of_a_service_opens_nothing_else_there(own_broker: RabbitMQ, path: str) -> None:
    with pytest.raises(BrokerUnavailableError):
        await management(own_broker).get(path)
    assert await management(own_broker, "admin", own_broker.admin_password).get(path)


def test_declaring_says_that_too_few_nodes_run(own_broker: RabbitMQ) -> None:
    url = f"http://127.0.0.1:{own_broker.ports.management}"
    variables = {"KUJI_AMQP_URL": own_broker.url(), "KUJI_QUEUE_STATUS_URL": url}
    alone = run_declare(**variables, KUJI_QUEUE_COPIES="3")
    assert alone.returncode == 1
    assert "3 copies are wished for and 1 nodes run" in alone.stderr
    assert own_broker.admin_password not in alone.stderr
    assert run_declare(**variables, KUJI_QUEUE_COPIES="1").returncode == 0


def test_a_number_of_copies_without_an_address_to_ask_at_is_refused(own_broker: RabbitMQ, tmp_path: Path) -> None:
    for url in ("", "ftp://host", "127.0.0.1:15672"):
        with pytest.raises(ConfigurationError, match="KUJI_QUEUE_STATUS_URL"):
            CopiesCheck.of(settings(own_broker, tmp_path, 3, url), Names(), [QUEUE])


def test_only_queues_below_the_number_and_without_a_copy_on_a_node_get_one_there() -> None:
    one, two = QueueCopies(frozenset({"a"}), frozenset(), "a"), QueueCopies(frozenset({"a", "b"}), frozenset(), "a")
    found = {"one": one, "two": two, "three": replace(one, members=frozenset({"a", "b", "c"}))}
    assert missing(found, "b", 3) == ["one"]
    assert missing(found, "c", 3) == ["one", "two"]
    assert missing(found, "c", 2) == ["one"]


def test_the_definitions_give_services_the_tag_and_no_more(own_broker: RabbitMQ) -> None:
    users = json.loads((own_broker.home / "definitions.json").read_text("utf-8"))["users"]
    assert {user["name"]: user["tags"] for user in users} == {
        "admin": ["administrator"],
        **{service: ["management"] for service in SERVICES},
    }
