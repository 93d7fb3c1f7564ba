"""`python -m shared.messaging.declare`: declare the topology on the broker of KUJI_AMQP_URL."""

import asyncio
import sys

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import ConfigurationError
from shared.messaging.topology import DELIVERY_LIMIT, RETRY_DELAYS_S, declare


class DeclareSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="KUJI_", frozen=True, extra="ignore")

    amqp_url: SecretStr = Field(description="RabbitMQ, as a user who may configure everything")
    namespace: str = Field("", description="prefix of all names")
    retry_delays_s: tuple[int, ...] = Field(RETRY_DELAYS_S, description="delays of the retry policy, seconds")
    delivery_limit: int = Field(DELIVERY_LIMIT, ge=1, description="deliveries without an answer until parking")


def main() -> None:
    try:
        settings = DeclareSettings()
    except ValidationError as error:
        fields = ", ".join(sorted({"KUJI_" + str(mistake["loc"][0]).upper() for mistake in error.errors()}))
        sys.exit(f"set {fields} and run this again")
    try:
        asyncio.run(
            declare(
                settings.amqp_url.get_secret_value(),
                settings.namespace,
                retry_delays_s=settings.retry_delays_s,
                delivery_limit=settings.delivery_limit,
            )
        )
    except ConfigurationError as error:
        sys.exit(str(error))
    except (OSError, TimeoutError, ConnectionError) as error:
        sys.exit(f"the broker of KUJI_AMQP_URL does not answer ({type(error).__name__}); start it and run this again")


if __name__ == "__main__":
    main()
