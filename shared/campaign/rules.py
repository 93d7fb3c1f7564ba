"""Rules over a whole campaign file, each with a text that says what to change. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from shared.campaign import quicknet
from shared.campaign.beacon_schedule import REHEARSAL, TIME_FOR_WITNESSES

if TYPE_CHECKING:
    from shared.campaign.model import Beacon, CampaignFile, EventClass

GRADES = ("p1", "p2", "p3", "p4", "p5", "p6", "j1", "j2", "j3")

ALLOWED_ITEMS = frozenset({"name", "address", "age-or-grade", "phone", "classes", "email", "guardian-name"})
"""R-D1 and R-D2: nothing else."""

REQUIRED_ITEMS = frozenset({"name", "address", "age-or-grade", "classes"})

_FORBIDDEN = {
    "free-text": "free text invites what clause 5 forbids (R-D4)",
    "comment": "free text invites what clause 5 forbids (R-D4)",
    "remarks": "free text invites what clause 5 forbids (R-D4)",
    "religion": "thought, creed and religion are never collected (R-C5)",
    "creed": "thought, creed and religion are never collected (R-C5)",
    "nationality": "facts that cause social discrimination are never collected (R-C5)",
    "criminal-record": "crime is never collected (R-C5)",
}

NOTICE_TIME = timedelta(days=3)
"""R-B8: everyone is told within about three days of the draw."""


Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Mistake:
    """Mistake in a field of the file."""

    where: Where
    text: str


def mistakes(campaign: "CampaignFile") -> list[Mistake]:
    """Return all mistakes of a file whose single fields are right."""
    return [*check_items(campaign), *check_calendar(campaign), *check_beacon(campaign), *check_classes(campaign)]


def check_beacon(campaign: "CampaignFile") -> Iterator[Mistake]:
    """Yield mistakes of the beacon: it must be the pinned one, with a round that is unknown when the list is frozen.

    A rehearsal may name a chain of its own, because quicknet has no rounds in the past of its clock.
    """
    beacon = campaign.draw.beacon
    if beacon is None:
        return
    if beacon.chain == REHEARSAL:
        yield from _check_own_chain(campaign, beacon)
    elif (beacon.chain, beacon.public_key, beacon.genesis) != (quicknet.CHAIN, quicknet.PUBLIC_KEY, None):
        yield Mistake(("draw", "beacon"), "must be drand's quicknet; take chain and public_key from docs/protocols.md")
    if beacon.round is None:
        return
    known_from = campaign.draw.at + timedelta(hours=campaign.draw.objection_hours)
    if campaign.draw.uses_dice:
        known_from += TIME_FOR_WITNESSES
    if beacon.schedule.time_of(beacon.round) <= known_from:
        text = "must come after `draw.at`, the time for objections, and half an hour for witnesses (`source: both`)"
        yield Mistake(("draw", "beacon", "round"), text)


def _check_own_chain(campaign: "CampaignFile", beacon: "Beacon") -> Iterator[Mistake]:
    if not campaign.rehearsal:
        text = "is a rehearsal's, whose owner knows every value; name drand's quicknet, or add `rehearsal: true`"
        yield Mistake(("draw", "beacon", "chain"), text)
    if beacon.genesis is None or beacon.period is None:
        yield Mistake(("draw", "beacon"), "needs `genesis` and `period` with a chain of its own")


def check_items(campaign: "CampaignFile") -> Iterator[Mistake]:
    for item in sorted(campaign.collects - ALLOWED_ITEMS):
        yield Mistake(("collects",), refuse_item(item))
    missing = REQUIRED_ITEMS - campaign.collects
    if missing:
        text = f"lacks {', '.join(sorted(missing))}: without it no applicant can be notified"
        yield Mistake(("collects",), text)


def refuse_item(item: str) -> str:
    why = _FORBIDDEN.get(item, "it is not among the items the council was told of (R-D1, R-D2)")
    return f"may not hold {item!r}: {why}; remove it"


def check_calendar(campaign: "CampaignFile") -> Iterator[Mistake]:
    """Yield dates that are not in the order of a campaign."""
    steps: list[tuple[Where, datetime]] = [
        (("contract", "starts"), campaign.contract.starts),
        (("window", "opens"), campaign.window.opens),
        (("window", "closes"), campaign.window.closes),
        (("window", "paper_until"), campaign.window.paper_until),
        (("draw", "at"), campaign.draw.at),
        (("notify_by",), campaign.notify_by),
        (("close_out",), campaign.close_out),
        (("contract", "ends"), campaign.contract.ends),
    ]
    may_coincide = {("window", "opens"), ("window", "paper_until"), ("draw", "at"), ("contract", "ends")}
    for (earlier, before), (later, after) in pairwise(steps):
        if after < before or (after == before and later not in may_coincide):
            yield Mistake(later, f"must come after `{'.'.join(map(str, earlier))}`")
    hold_until = campaign.reception.hold_until
    if hold_until is not None and not campaign.draw.at < hold_until <= campaign.close_out:
        yield Mistake(("reception", "hold_until"), "must come after `draw.at` and not after `close_out`")
    until = campaign.offers.until
    if until is not None and not campaign.notify_by < until <= campaign.close_out:
        yield Mistake(("offers", "until"), "must come after `notify_by` and not after `close_out`")
    if campaign.notify_by - campaign.draw.at > NOTICE_TIME:
        yield Mistake(("notify_by",), "must be within 3 days of `draw.at` (R-B8)")


def check_classes(campaign: "CampaignFile") -> Iterator[Mistake]:
    for what, values in (
        ("id", [c.id for c in campaign.classes]),
        ("number", [c.number for c in campaign.classes]),
    ):
        for value, times in Counter(values).items():
            if times > 1:
                yield Mistake(("classes",), f"the {what} {value} stands {times} times")
    for index, event_class in enumerate(campaign.classes):
        for field, text in _check_class(event_class, campaign):
            yield Mistake(("classes", index, field), text)


def _check_class(event_class: "EventClass", campaign: "CampaignFile") -> Iterator[tuple[str, str]]:
    if event_class.ends <= event_class.starts:
        yield "ends", "must come after `starts`"
    if event_class.starts < campaign.notify_by:
        yield "starts", "must not come before `notify_by`, or winners learn of it too late"
    if event_class.ends > campaign.close_out:
        yield "ends", "must not come after `close_out`"
    if min(event_class.seats) > event_class.capacity:
        yield "seats", "one application takes more places than `capacity`"
    if len(set(event_class.seats)) == 1 and event_class.capacity % event_class.seats[0]:
        yield "capacity", f"must be a multiple of the {event_class.seats[0]} places each application takes"
    if event_class.eligibility.guardian_pair and 1 in event_class.seats:
        yield "seats", "a pair takes at least 2"
