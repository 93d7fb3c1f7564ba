"""Fuzz the consumers of a service: signed events whose bodies are changed samples, parsed and handled as in production.

The publisher is one that the routes allow: a service that was taken over (forged signatures: `attack/`).
"""

import contextlib
import json
import time
from typing import Any, Final

from shared.contracts import ROUTES, SERVICES, Event
from shared.errors import KujiError, TransientError
from shared.ids import new_event_id
from shared.messaging.envelope import Envelope
from shared.messaging.errors import ContractViolationError
from shared.messaging.handling import Delivery, Handling, Parcel
from shared.messaging.retry_policy import error_code
from tests.support.fuzzing.inputs import Inputs
from tests.support.fuzzing.installation import RunningService
from tests.support.fuzzing.outcome import CANARY, Outcome, watched_inputs
from tests.support.message_samples import SAMPLES
from tests.support.service_keys import signed_body

_PLAIN: Final = 0.3
"""Share of inputs whose event keeps its shape, so that the handler gets it."""


class ConsumerFuzzer:
    """Hands made-up events to the consumers of a running service."""

    def __init__(self, service: RunningService, inputs: Inputs) -> None:
        self._service, self._inputs = service, inputs

    async def fuzz(self, handling: Handling[Any], count: int) -> Outcome:
        """Hand `count` events to one consumer and return what was found."""
        name = handling.event_type.name
        outcome = Outcome(f"{self._service.name} consumes {name}")
        samples = [json.loads(event.to_json()) for event in SAMPLES if event.name == name]
        with watched_inputs(outcome, count) as numbers:
            for _ in numbers:
                body = self._inputs.json(self._made(samples, handling.event_type))
                began = time.process_time()
                outcome.count(await self._hand_over(handling, body, outcome), time.process_time() - began)
        return outcome

    def _made(self, samples: list[Any], event_type: type[Event]) -> Any:
        """Return a changed sample; often one that still meets the contract, of which the handler decides."""
        sample = self._inputs.random.choice(samples)
        if self._inputs.random.random() > _PLAIN:
            return self._inputs.changed(sample)
        for _ in range(20):
            changed = self._inputs.changed(sample)
            with contextlib.suppress(ValueError, RecursionError):
                event_type.model_validate_json(json.dumps(changed))
                return changed
        return sample

    async def _hand_over(self, handling: Handling[Any], body: bytes, outcome: Outcome) -> str:
        """Parse and handle one event; return what became of it."""
        name = handling.event_type.name
        publisher = next(min(route.publishers) for route in ROUTES if route.event.name == name)
        envelope = signed_body(name, body, _named_service(body, publisher), new_event_id())
        try:
            event = handling.parse(envelope)
        except ContractViolationError as error:
            _check_text(error, outcome)
            return "refused"
        except Exception as error:  # noqa: BLE001  (whatever escapes is the finding)
            outcome.error(f"{type(error).__name__} while parsing {body[:300]!r}")
            return "error"
        return await self._run(handling, envelope, event, outcome)

    async def _run(self, handling: Handling[Any], envelope: Envelope, event: Event, outcome: Outcome) -> str:
        parcels = [Parcel(Delivery(None, 1), envelope, event)]  # type: ignore[arg-type]  (no message: nothing acknowledges)
        try:
            if handling.prepare is not None:
                await handling.prepare([event])
            await handling.store.transact(lambda uow: handling.run_handler(parcels, uow))
        except KujiError as error:
            _check_text(error, outcome)
            return "retried" if isinstance(error, TransientError) else "parked"
        except Exception as error:  # noqa: BLE001  (whatever escapes is the finding)
            outcome.error(f"{error_code(error)}: {str(error)[:100]} for {envelope.body[:400]!r}")
            return "error"
        return "handled"


def _named_service(body: bytes, publisher: str) -> str:
    """Return the service that the event says it is of, as its publisher would sign it; else the publisher."""
    with contextlib.suppress(ValueError, RecursionError):
        parsed = json.loads(body)
        if isinstance(parsed, dict) and parsed.get("service") in SERVICES:
            return str(parsed["service"])
    return publisher


def _check_text(error: KujiError, outcome: Outcome) -> None:
    """Look for input in the code under which the message is parked: staff see it."""
    if CANARY in error_code(error).lower():
        outcome.echo(f"error {type(error).__name__}")
