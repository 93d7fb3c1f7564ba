"""Messages about digits of witnesses: the lottery asks for them, the vault gives each as a signed act."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from shared.contracts.base import Event, Moment, Ordinal
from shared.dice_acts import InvalidDiceActsError, read_act
from shared.ids import CampaignIdField, DrawIdField
from shared.json_types import JsonObject


class DiceRequested(Event):
    """A list is frozen and its draw waits for witnesses. `opens`: end of objections; `round_at`: time of the round.

    Witnesses enter their digits from `opens` until 30 seconds before `round_at`, on the campaign's clock.
    """

    name: ClassVar[str] = "dice.requested"
    campaign: CampaignIdField
    draw: DrawIdField
    number: Ordinal
    manifest_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    opens: Moment
    round_at: Moment
    witnesses: Annotated[int, Field(ge=2, le=10)]


class DiceEntered(Event):
    """A witness entered digits. `act`: the document that the vault signed (`docs/spec/draw-2.md` §5)."""

    name: ClassVar[str] = "dice.entered"
    campaign: CampaignIdField
    draw: DrawIdField
    act: JsonObject

    @model_validator(mode="after")
    def _is_an_act(self) -> Self:
        try:
            act = read_act(self.act)
        except InvalidDiceActsError as error:
            raise ValueError(str(error)) from None
        if (act.campaign, act.params.draw) != (self.campaign, self.draw):
            raise ValueError("the act is of another draw")
        return self
