"""`python -m shared.messaging.declare`: declare the topology on the broker of KUJI_AMQP_URL, with its copies."""

import asyncio
import shlex
import sys

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.cleartext import refuse_cleartext_to_broker
from shared.errors import ConfigurationError
from shared.messaging.copies import Management
from shared.messaging.errors import BrokerUnavailableError
from shared.messaging.grow import Grower
from shared.messaging.topology import DELIVERY_LIMIT, RETRY_DELAYS_S, declare, describe


class DeclareSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="KUJI_", frozen=True, extra="ignore")

    amqp_url: SecretStr = Field(description="RabbitMQ, as a user who may configure everything")
    namespace: str = Field("", description="prefix of all names")
    retry_delays_s: tuple[int, ...] = Field(RETRY_DELAYS_S, description="delays of the retry policy, seconds")
    queue_copies: int = Field(1, ge=1, description="nodes on which each queue should lie")
    queue_status_url: str = Field("", description="management interfaces of the nodes, where there are copies")
    grow_command: str = Field("rabbitmq-queues", description="how `rabbitmq-queues` is called on a node of the cluster")
    one_host_network: bool = Field(False, description="true where names without a dot are containers of this host")
    delivery_limit: int = Field(DELIVERY_LIMIT, ge=1, description="deliveries without an answer until parking")


def main() -> None:
    try:
        settings = DeclareSettings()
    except ValidationError as error:
        fields = ", ".join(sorted({"KUJI_" + str(mistake["loc"][0]).upper() for mistake in error.errors()}))
        sys.exit(f"set {fields} and run this again")
    try:
        asyncio.run(_declare(settings))
    except (ConfigurationError, BrokerUnavailableError) as error:
        sys.exit(str(error))
    except (OSError, TimeoutError, ConnectionError) as error:
        sys.exit(f"the broker of KUJI_AMQP_URL does not answer ({type(error).__name__}); start it and run this again")


async def _declare(settings: DeclareSettings) -> None:
    """Declare the topology and bring its queues to the number of copies that is wished for."""
    url = settings.amqp_url.get_secret_value()
    refuse_cleartext_to_broker(url, settings.queue_status_url, one_host=settings.one_host_network)
    topology = describe(settings.namespace, settings.retry_delays_s, settings.delivery_limit)
    management = Management.of(settings.queue_status_url, url)
    if settings.queue_copies > 1 and not management.urls:
        raise ConfigurationError("KUJI_QUEUE_COPIES is above 1; set KUJI_QUEUE_STATUS_URL as well")
    await declare(
        url, settings.namespace, retry_delays_s=settings.retry_delays_s, delivery_limit=settings.delivery_limit
    )
    if settings.queue_copies > 1:
        grower = Grower(management, shlex.split(settings.grow_command), settings.queue_copies)
        found = await grower.grow([queue.name for queue in topology.queues])
        fewest = min(len(queue.members) for queue in found.values())
        sys.stdout.write(f"{len(found)} queues, each on at least {fewest} nodes; wished for: {settings.queue_copies}\n")


if __name__ == "__main__":
    main()
