"""Delivered events, and the groups in which those that came back are handled."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from aio_pika.abc import AbstractIncomingMessage

from shared.contracts.base import Event
from shared.messaging.envelope import Envelope

E = TypeVar("E", bound=Event)


@dataclass
class Delivery:
    """Delivered message; it may be acknowledged when none of its events is `unanswered`."""

    message: AbstractIncomingMessage
    unanswered: int


@dataclass(frozen=True)
class Parcel(Generic[E]):
    """Delivered event that meets its contract."""

    delivery: Delivery
    envelope: Envelope
    event: E


def by_few(suspects: Sequence[Parcel[E]], few: int) -> Iterator[Sequence[Parcel[E]]]:
    """Yield groups of those that came back once, then the others one by one; all in random order."""
    suspects = random.sample(suspects, len(suspects))
    once, often = list[Parcel[E]](), list[Parcel[E]]()
    for parcel in suspects:
        is_first = parcel.delivery.message.headers.get("x-delivery-count") == 1
        (once if is_first else often).append(parcel)
    for start in range(0, len(once), few):
        yield once[start : start + few]
    yield from ([parcel] for parcel in often)
