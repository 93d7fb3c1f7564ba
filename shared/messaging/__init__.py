"""Events between services over RabbitMQ: said once or more, handled once. Nobody else imports aio-pika (ADR 0004)."""

from shared.messaging.bus import Bus
from shared.messaging.deliveries import Batch
from shared.messaging.errors import BrokerUnavailable, ContractViolation
from shared.messaging.handling import Handler
from shared.messaging.relay import RelayPace

__all__ = ["Batch", "BrokerUnavailable", "Bus", "ContractViolation", "Handler", "RelayPace"]
