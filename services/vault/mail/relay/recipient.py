"""Hold the recipient of one message in the clear. Pure."""

from dataclasses import dataclass, field

from shared.campaign import Campaign
from shared.ids import Token


@dataclass(frozen=True)
class Recipient:
    """`address` is None where they gave none."""

    token: Token
    campaign: Campaign
    name: str = field(repr=False)
    address: str | None = field(repr=False)
