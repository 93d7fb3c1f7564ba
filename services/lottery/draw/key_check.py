"""Say that a frozen list waits for a new draw, because the key that signed it was revoked (ADR 49)."""

from services.lottery.draw.rules.blockers import Wait
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState
from services.lottery.keys import LotteryKeys, RevokedKeyError


def key_waits(keys: LotteryKeys, draw: Draw) -> list[Wait]:
    """Return what a frozen draw waits for besides `blockers.waits`: nothing is drawn from a list of a revoked key."""
    if draw.state is not DrawState.FROZEN or draw.is_erasing:
        return []
    try:
        keys.check(draw.manifest.line.encode("utf-8"), draw.signature or "")
    except RevokedKeyError:
        return [Wait("revoked-key")]
    return []
