"""Return the parameters of approvals for a draw as it is now: what an approver agrees to."""

from services.lottery.draw.rules.blockers import Readiness
from services.lottery.draw.rules.draw import Draw
from shared.approvals import ApprovalKind
from shared.approvals.params import redraw_params
from shared.campaign import Campaign
from shared.json_types import JsonObject


def params_of_freeze(draw: Draw, readiness: Readiness) -> JsonObject:
    """Return the parameters of an approval to freeze the list with the applications that are open now."""
    return {"draw": draw.number, "held": readiness.held, "undecided": readiness.undecided}


def params_of_redraw(draw: Draw, *, reopen: bool) -> JsonObject:
    """Return the parameters of an approval to give this draw up as it is now.

    Randomness is part of them: an approval that was given before the dice were known does not hold after them.
    """
    state = {
        "draw": draw.id,
        "state": draw.state.value,
        "manifest": draw.manifest_line,
        "dice": draw.dice,
        "beacon_signature": draw.beacon_signature,
    }
    return redraw_params(draw.number, state, reopen=reopen)


def params_of_later_round(draw: Draw, campaign: Campaign) -> JsonObject:
    """Return the parameters of an approval to give this draw up for a later round than the one it names."""
    known = draw.manifest.beacon.round if draw.has_manifest else campaign.draw.chain.round
    return {"draw": draw.number, "known_round": known or 0}


def approval_params(draw: Draw, campaign: Campaign, readiness: Readiness | None) -> dict[ApprovalKind, JsonObject]:
    """Return the parameters by kind; those of a freeze while the list is open and `readiness` is known."""
    params = {
        ApprovalKind.REDRAW: params_of_redraw(draw, reopen=False),
        ApprovalKind.LATER_ROUND: params_of_later_round(draw, campaign),
    }
    if readiness is not None:
        params[ApprovalKind.FREEZE_INCOMPLETE] = params_of_freeze(draw, readiness)
    return params
