"""Record acts of staff for the vault's audit log, in the transaction of the act (docs/protocols.md §8)."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from shared.contracts import ActingService, ActOfStaff, StaffAct, StaffActed
from shared.ids import CampaignId
from shared.storage import Store, UnitOfWork

ActRecorder = Callable[[str, StaffAct, str], Awaitable[None]]
"""Record an act outside a campaign (staff id, act, case) durably, before it happens."""


async def record_act(
    uow: UnitOfWork, service: ActingService, act: StaffAct, actor: str, case: str, campaign: CampaignId | None = None
) -> None:
    """Publish the act if, and only if, the transaction commits. `case`: an opaque id of what was acted on."""
    item = ActOfStaff(sub=actor, act=act, case=case, at=datetime.now(UTC))
    await uow.emit(StaffActed(service=service, campaign=campaign, items=(item,)))


async def record_reading(
    store: Store, service: ActingService, act: StaffAct, actor: str, case: str, campaign: CampaignId
) -> None:
    """Record that a member of staff reads what became of one application, before it is shown."""
    await store.transact(lambda uow: record_act(uow, service, act, actor, case, campaign))


def make_recorder(store: Store, service: ActingService) -> ActRecorder:
    """Return a recorder for acts on the broker, which have no transaction: the record is committed first."""

    async def record(actor: str, act: StaffAct, case: str) -> None:
        async def write(uow: UnitOfWork) -> None:
            await record_act(uow, service, act, actor, case)

        await store.transact(write)

    return record
