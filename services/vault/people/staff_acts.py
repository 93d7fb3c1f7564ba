"""Write the acts of staff at the other services into the audit log (R-C7, R-C15; docs/protocols.md §8)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.keystore import Keystore
from shared.contracts import APPLICANT_ACTS, ActOfStaff, StaffAct, StaffActed
from shared.staff_acts import ActRecorder
from shared.storage import UnitOfWork

Follow: TypeAlias = Callable[[Sequence[StaffActed], UnitOfWork], Awaitable[None]]

_ROLE = "staff"
_DONE = "done"


class StaffActLines:
    """Handler of `staff.acted`. The inbox keeps an event that comes twice from being written twice."""

    def __init__(self, audit: AuditLog, keystore: Keystore, follow: Follow | None = None) -> None:
        """`follow`: what else the vault does after such acts, in the consumer's transaction."""
        self._audit, self._keystore, self._follow = audit, keystore, follow

    async def on_acted(self, events: Sequence[StaffActed], uow: UnitOfWork) -> None:
        """Write one line for each act. Raises NotRecordedError, so that the events come again."""
        await self._audit.record([self._line(event, item) for event in events for item in event.items])
        if self._follow is not None:
            await self._follow(events, uow)

    def _line(self, event: StaffActed, item: ActOfStaff) -> AuditEvent:
        """Return the line of an act, at its own time. An application is named by an HMAC of the campaign's keys."""
        action, subject = f"{item.act}:{item.case}", None
        if item.act in APPLICANT_ACTS and event.campaign is not None:
            action, subject = item.act.value, self._keystore.campaign(event.campaign).subject_of(item.case)
        at = item.at.isoformat(timespec="milliseconds")
        return AuditEvent(item.sub, _ROLE, action, event.service, event.campaign, subject, f"{_DONE} {at}")


def make_vault_recorder(audit: AuditLog) -> ActRecorder:
    """Return a recorder for acts on the vault's own parked messages: the line is durable before the act."""

    async def record(actor: str, act: StaffAct, case: str) -> None:
        await audit.record([AuditEvent(actor, _ROLE, f"{act}:{case}", "vault", None, None, _DONE)])

    return record
