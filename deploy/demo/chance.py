"""Chance of a rehearsal: two witnesses enter digits at the vault, and the relay's value comes out at its time."""

import os
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from deploy.demo.installation import StaffClient
from deploy.demo.rehearsal import until
from deploy.people.invented import RESPONSIBLE, WARD
from deploy.relay.rehearsal import RehearsalRelay
from shared.clock import set_rehearsal_clock
from shared.dice_acts import DIGITS

WITNESSES: Final = (WARD, RESPONSIBLE)
_TIMEOUT_S: Final = float(os.environ.get("KUJI_DEMO_PATIENCE_S", "120"))


async def enter_dice(staff: StaffClient) -> None:
    """Enter digits of the operating system as two witnesses; in a real draw they roll dice."""
    ceremonies = await until(
        lambda: staff.by(WARD).get("vault", "dice"),
        lambda answer: bool(answer["ceremonies"]),
        within_s=_TIMEOUT_S,
        what="the lottery's request for digits at the vault",
    )
    draw = ceremonies["ceremonies"][-1]["draw"]
    for person in WITNESSES:
        digits = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
        await staff.by(person).post("vault", f"dice/{draw}", {"digits": digits})


async def wait_for_round(staff: StaffClient) -> None:
    """Wait until the lottery has all digits, and move the clock to the round; its value decides the draw.

    Where the lottery cannot reach the relay, a handler pastes the value.
    """
    drawn = await until(
        lambda: staff.get("lottery", "draw"), _has_digits, within_s=_TIMEOUT_S, what="the digits at the lottery"
    )
    round_at = datetime.fromisoformat(drawn["round_at"])
    set_rehearsal_clock(staff.at.clock_file, round_at + timedelta(seconds=1))
    if staff.at.campaign.draw.relays:
        return
    beacon = RehearsalRelay.find(staff.at.campaigns_dir)
    if beacon is not None:
        number = beacon.schedule.round_after(round_at) - 1
        await staff.post("lottery", "beacon", {"signature": beacon.key.sign(number)})


def _has_digits(draw: Any) -> bool:
    return any(given["source"] == "dice" for given in draw["given"])
