"""The one draw of a campaign: freeze, chance, result. However many processes try, each step happens once.

Each step is one transaction guarded by the state it starts from. Between freeze and result everything is computed
from what is stored, so a step that died half-way is simply taken again, by anybody, with the same outcome.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.lottery import ledger
from services.lottery.allocation import allocate
from services.lottery.keys import LotteryKeys
from services.lottery.ledger import Readiness
from services.lottery.manifest import Counted, Manifest, Override, draw_id, write_manifest
from services.lottery.randomness import Randomness, check_beacon, check_dice, draw_key
from services.lottery.rows import read_rows, write_rows
from services.lottery.states import BEFORE, DrawState
from services.lottery.transcript import history_event, write_transcript
from shared.campaign import Campaign, quicknet
from shared.clock import Clock
from shared.errors import KujiError
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


class NotYet(KujiError):  # noqa: N818  (says what is the case)
    """The list cannot be frozen: applications are open. `readiness` says which."""

    def __init__(self, readiness: Readiness) -> None:
        super().__init__("the list is not complete")
        self.readiness = readiness


class WrongState(KujiError):  # noqa: N818  (says what is the case)
    """The draw is at another step; `state` is where it is."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the draw is {state}")
        self.state = state


class TooEarly(KujiError):  # noqa: N818  (says what is the case)
    """Applications may still arrive."""


class Drawing:
    def __init__(self, store: Store, keys: LotteryKeys, clock: Clock, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._store, self._keys, self._clock, self._campaigns = store, keys, clock, campaigns

    async def state(self, campaign: CampaignId) -> dict[str, Any]:
        """The draw's document: `state`, and what earlier steps left in it."""
        found = await self._store.db[ledger.DRAWS].find_one({"_id": campaign})
        return found or {"_id": campaign, "state": DrawState.OPEN}

    async def freeze(self, campaign: CampaignId, override: Override | None = None) -> None:
        """Fix and sign the list. Raises TooEarly, NotYet (unless overridden), WrongState."""
        rule = self._campaigns[campaign]
        now = self._clock.now()
        if now < rule.window.paper_until:
            raise TooEarly("applications may still arrive")
        if rule.draw.beacon is not None and quicknet.time_of(rule.draw.beacon.round) <= now:
            raise WrongState("past its beacon's round: the value is known already, so this list cannot be drawn by it")

        async def work(uow: UnitOfWork) -> None:
            await _step(uow, campaign, DrawState.FROZEN, {})
            stated = _permitted(await ledger.readiness(uow, campaign), override)
            entries = [ledger.entry_of(document) for document in await ledger.accepted(uow, campaign)]
            rows = write_rows(entries)
            counted = Counted(await _by_channel(uow, campaign), await ledger.refused_by_reason(uow, campaign))
            manifest = write_manifest(rule, rows, entries, counted, now, stated)
            await ledger.put_text(uow, f"{campaign}:rows", rows)
            frozen = {
                "manifest": manifest,
                "signature": self._keys.signing.sign(manifest.encode("utf-8")),
                "history": [history_event("frozen", now, None)],
            }
            await uow.db[ledger.DRAWS].update_one({"_id": campaign}, {"$set": frozen}, session=uow.session)

        await self._store.transact(work)
        _log.info("list-frozen", campaign=campaign)

    async def give_dice(self, campaign: CampaignId, digits: str, again: str, witnesses: list[str]) -> None:
        """Digits read out before witnesses. Raises BadRandomness, WrongState; a second giving is refused."""
        manifest = await self._frozen(campaign)
        if manifest.dice_digits is None:
            raise WrongState("without dice")
        check_dice(digits, again, witnesses, needed=manifest.dice_digits, witnesses_needed=manifest.witnesses)
        await self._give(campaign, "dice", {"dice": digits, "witnesses": witnesses})

    async def give_beacon(self, campaign: CampaignId, signature: str) -> None:
        """The beacon's value of the round that the manifest names. Raises BadRandomness, WrongState."""
        manifest = await self._frozen(campaign)
        if manifest.beacon is None:
            raise WrongState("without beacon")
        await asyncio.to_thread(check_beacon, signature, manifest.beacon)
        await self._give(campaign, "beacon_signature", {"beacon_signature": signature})

    async def _frozen(self, campaign: CampaignId) -> Manifest:
        draw = await self.state(campaign)
        if draw["state"] != DrawState.FROZEN:
            raise WrongState(draw["state"])
        return Manifest.read(draw["manifest"])

    async def _give(self, campaign: CampaignId, source: str, values: dict[str, Any]) -> None:
        given = await self._store.db[ledger.DRAWS].update_one(
            {"_id": campaign, "state": DrawState.FROZEN, source: {"$exists": False}}, {"$set": values}
        )
        if given.modified_count == 0:
            raise WrongState(f"given its {source.removesuffix('_signature')} already")

    async def draw_if_possible(self, campaign: CampaignId) -> bool:
        """Compute and store the result once all sources of the manifest are there; whether this call did it."""
        draw = await self.state(campaign)
        if draw["state"] != DrawState.FROZEN:
            return False
        manifest = Manifest.read(draw["manifest"])
        randomness = Randomness(draw.get("dice"), draw.get("beacon_signature"))
        missing_dice = manifest.dice_digits is not None and randomness.dice is None
        missing_beacon = manifest.beacon is not None and randomness.beacon_signature is None
        if missing_dice or missing_beacon:
            return False
        rows = await ledger.get_text(self._store, f"{campaign}:rows")
        transcript = await asyncio.to_thread(self._transcript, draw, manifest, randomness, rows)

        async def work(uow: UnitOfWork) -> None:
            await _step(uow, campaign, DrawState.DRAWN, {"history": transcript["history"]})
            await ledger.put_text(uow, f"{campaign}:transcript", json.dumps(transcript, ensure_ascii=False))

        try:
            await self._store.transact(work)
        except WrongState:
            return False
        _log.info("drawn", campaign=campaign, draw=draw_id(self._campaigns[campaign]))
        return True

    def _transcript(
        self, draw: dict[str, Any], manifest: Manifest, randomness: Randomness, rows: str
    ) -> dict[str, Any]:
        key = draw_key(manifest.line, randomness)
        history = [*draw["history"], history_event("drawn", self._clock.now(), draw["history"][-1])]
        return write_transcript(
            manifest=manifest.line,
            signature=draw["signature"],
            rows=rows,
            randomness=randomness,
            witnesses=draw.get("witnesses", []),
            key=key,
            allocation=allocate(key, read_rows(rows), manifest.classes, manifest.rules),
            history=history,
            signing=self._keys.signing,
        )


async def _step(uow: UnitOfWork, campaign: CampaignId, to: DrawState, values: dict[str, Any]) -> None:
    """Go one state on, from the one before it only. Raises WrongState."""
    gone = await uow.db[ledger.DRAWS].update_one(
        {"_id": campaign, "state": BEFORE[to]}, {"$set": {"state": to, **values}}, session=uow.session
    )
    if gone.modified_count == 0:
        found = await uow.db[ledger.DRAWS].find_one({"_id": campaign}, session=uow.session)
        raise WrongState(found["state"] if found else "unknown")


def _permitted(readiness: Readiness, override: Override | None) -> Override | None:
    """The override as the manifest states it, with what was open. Raises NotYet where one is needed and missing."""
    if override is not None:
        return replace(override, held=readiness.held, undecided=readiness.undecided)
    if not readiness.complete:
        raise NotYet(readiness)
    return None


async def _by_channel(uow: UnitOfWork, campaign: CampaignId) -> dict[str, int]:
    counts: dict[str, int] = {}
    cursor = uow.db[ledger.ENTRIES].find(
        {"campaign": campaign, "state": "accepted"}, {"channel": 1}, session=uow.session
    )
    for document in await cursor.to_list(None):
        counts[document["channel"]] = counts.get(document["channel"], 0) + 1
    return dict(sorted(counts.items()))
