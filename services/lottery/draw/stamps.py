"""Attach time stamps to the manifest of a draw."""

from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.stamp_repository import StampRepository
from shared.clock import Clock
from shared.contracts import StaffAct
from shared.staff_acts import record_act
from shared.storage import DuplicateKeyError, Store, UnitOfWork


class Stamps:
    """Attach stamps that were checked before."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def attach(self, draw: Draw, kind: str, content: bytes, actor: str) -> int:
        """Store a stamp and return its number. A stamp that was attached before keeps its number."""

        async def add(uow: UnitOfWork) -> int:
            stamps = StampRepository(uow)
            known = await stamps.find_equal(draw.id, content)
            if known is not None:
                return known.number
            await record_act(uow, "lottery", StaffAct.ATTACH_STAMP, actor, draw.id, draw.campaign)
            return (await stamps.add(draw.id, kind, content, self._clock.now())).number

        while True:
            try:
                return await self._store.transact(add)
            except DuplicateKeyError:  # another process took the number: take the next one
                continue
