"""Freezing: list, rules and sources of chance are fixed and signed before any chance exists."""

from collections.abc import Mapping
from dataclasses import replace

from services.lottery import ledger
from services.lottery.keys import LotteryKeys
from services.lottery.ledger import Readiness
from services.lottery.manifest import Counted, Override, write_manifest
from services.lottery.rows import write_rows
from services.lottery.states import DrawState
from services.lottery.steps import NotYet, TooEarly, WrongState, step
from services.lottery.transcript import history_event
from shared.campaign import Campaign, quicknet
from shared.clock import Clock
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


class Freezing:
    def __init__(self, store: Store, keys: LotteryKeys, clock: Clock, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._store, self._keys, self._clock, self._campaigns = store, keys, clock, campaigns

    async def freeze(self, campaign: CampaignId, override: Override | None = None) -> None:
        """Fix and sign the list. Raises TooEarly, NotYet (unless overridden), WrongState."""
        rule = self._campaigns[campaign]
        now = self._clock.now()
        if now < rule.window.paper_until:
            raise TooEarly("applications may still arrive")
        if rule.draw.beacon is not None and quicknet.time_of(rule.draw.beacon.round) <= now:
            raise WrongState("past its beacon's round: the value is known already, so this list cannot be drawn by it")

        async def work(uow: UnitOfWork) -> None:
            draw = await step(uow, campaign, DrawState.FROZEN, {})
            stated = _permitted(await ledger.readiness(uow, campaign), override)
            entries = [ledger.entry_of(document) for document in await ledger.accepted(uow, campaign)]
            rows = write_rows(entries)
            counted = Counted(await _by_channel(uow, campaign), await ledger.refused_by_reason(uow, campaign))
            manifest = write_manifest(rule, rows, entries, counted, now, stated, draw["number"])
            await ledger.put_text(uow, f"{draw['draw']}:rows", rows)
            frozen = {
                "manifest": manifest,
                "signature": self._keys.signing.sign(manifest.encode("utf-8")),
                "history": [history_event("frozen", now, None)],
            }
            await uow.db[ledger.DRAWS].update_one({"_id": campaign}, {"$set": frozen}, session=uow.session)

        await self._store.transact(work)
        _log.info("list-frozen", campaign=campaign)


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
