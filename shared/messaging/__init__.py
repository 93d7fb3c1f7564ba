"""Events between services over RabbitMQ: published at least once, handled once. Only this package imports aio-pika
(ADR 0004).
"""

from shared.messaging.bus import Bus
from shared.messaging.deliveries import Batch
from shared.messaging.errors import BrokerUnavailableError, ContractViolationError
from shared.messaging.handling import Handler
from shared.messaging.outbox_publisher import OutboxPace

__all__ = ["Batch", "BrokerUnavailableError", "Bus", "ContractViolationError", "Handler", "OutboxPace"]
