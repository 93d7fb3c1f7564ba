"""Prepare the server from which lottery processes are forked: imports, and the round that all of them verify."""

from services.lottery.randomness.beacon import verify_beacon
from services.lottery.randomness.rounds import choose_round
from tests.support import draw_process
from tests.support.chance import RELAY, value_of
from tests.support.draw_builders import sample_campaign

__all__ = ["draw_process"]

_campaign = sample_campaign()
_round = choose_round(_campaign, 1, _campaign.draw.at)
assert verify_beacon(value_of(_round), RELAY.public, _round)
