"""Messages about places after the draw: who is offered one, or given one, and must be told."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from shared.contracts.base import BATCH_LIMIT, Event, Moment, Value
from shared.contracts.results import PassCode, PassText
from shared.ids import ApplicationIdField, CampaignIdField, ClassIdField, DrawIdField

Occasion = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,99}$")]
"""What a notice is about; each is told once. The draw, or the draw and the number of the step after it."""


class PlaceOffer(Value):
    """A place that one application is offered (`offered`, with a time to answer), now holds, or now waits for.

    `corrected`: it was wrongly kept out of the draw. The pass is good once the place is held.
    """

    occasion: Occasion
    application_id: ApplicationIdField
    class_id: ClassIdField
    seats: Annotated[int, Field(ge=1, le=20)]
    state: Literal["offered", "held", "waiting"]
    position: Annotated[int, Field(ge=1)] | None = None
    answer_by: Moment | None = None
    corrected: bool = False
    pass_code: PassCode
    class_pass: PassText | None = None


class PlacesOffered(Event):
    name: ClassVar[str] = "places.offered"
    campaign: CampaignIdField
    draw: DrawIdField
    items: Annotated[tuple[PlaceOffer, ...], Field(min_length=1, max_length=BATCH_LIMIT)]
