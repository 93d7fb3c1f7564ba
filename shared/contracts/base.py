"""Base of all messages: frozen, versioned, closed to unknown members."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)


class Value(BaseModel):
    """A part of a message. Frozen; unknown members are refused (R-C3); errors never repeat the input."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SparseValue(Value):
    """A part of a message that is written without the members that are None, as signed documents are."""

    @model_serializer(mode="wrap")
    def _without_none(self, write: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {member: value for member, value in write(self).items() if value is not None}


class Event(Value):
    """Something that has happened. `name` is the routing key and the AMQP type."""

    name: ClassVar[str]
    is_about_erasure: ClassVar[bool] = False
    """True for the events of the erasure itself: they are consumed and published after it, too."""

    names_erased_people: ClassVar[bool] = False
    """True for events that name people after their erasure, too: the erasure's own, and the roll of receipts."""

    counts_erased_people: ClassVar[bool] = False
    """True for events whose handler leaves erased people out itself, because it counts them without their names."""

    v: Literal[1] = 1

    @property
    def erasable_campaign(self) -> str | None:
        """Campaign with whose erasure this event ends; None for those of the erasure or of the installation."""
        return None if self.is_about_erasure else getattr(self, "campaign", None)

    def to_json(self) -> bytes:
        return self.model_dump_json().encode("utf-8")


ReasonCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,40}$")]
"""A reason as a code (`grade`, `not-resident`): texts are made where they are read."""

Channel = Literal["web", "fax", "post"]
"""How an application arrived."""

Moment = AwareDatetime

BATCH_LIMIT = 100
"""Items a message holds at most: 25 to 30 times the items a second of one each (measured)."""

LARGEST: Final = 2**53 - 1
"""Largest integer of a message: JSON carries it exactly (RFC 8259 §6), and MongoDB stores it."""

Count = Annotated[int, Field(ge=0, le=LARGEST)]
Ordinal = Annotated[int, Field(ge=1, le=LARGEST)]

Version = Annotated[int, Field(ge=1, le=1000)]
"""Number of an application's content: 1 for the first, one more with each correction or withdrawal."""
