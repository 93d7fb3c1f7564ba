"""Applications that are left out of a draw, for tests of what their applicants are told; no broker."""

from dataclasses import dataclass, replace
from functools import partial

from services.vault.applications.repository import COLLECTION
from services.vault.deliveries.left_out import LeftOutNotices
from services.vault.deliveries.left_out_watch import LeftOutWatch
from services.vault.people.staff_acts import StaffActLines
from shared.contracts import (
    ActOfStaff,
    Contact,
    ContactsRegistered,
    DrawPublished,
    IssuedSlip,
    NoticeChannel,
    NoticeDocument,
    SlipsIssued,
    StaffAct,
    StaffActed,
)
from shared.ids import DrawId, new_event_id
from shared.messaging.erased import ErasedCampaigns
from shared.storage import UnitOfWork
from tests.support.mail_room_harness import MailDesk, new_notice, person
from tests.support.vault_parts import Known

FIRST = person(1)
STRANGER = replace(person(2), name=FIRST.name, phone=FIRST.phone)
"""Person who applies in the name of FIRST with an own mailbox and an own address: the observer of a13."""


@dataclass(frozen=True)
class LeftOutHarness:
    """Vault after a draw. `kind`: of the notices that the test orders as the notifier does."""

    desk: MailDesk
    kind: str

    async def behind(self, one: Known, other: Known, state: str, **changes: object) -> None:
        """Write that an application gave way to another one (`rejected`, `superseded`) or is held for it (`held`)."""
        kind = "copy" if state == "superseded" else "same-person"
        reasons = ["duplicate"] if state == "rejected" else []
        match = {"application_id": other.application_id, "kind": kind}
        values = {"state": state, "reasons": reasons, "match": match, **changes}
        await self.change(one, **values)

    async def change(self, one: Known, **values: object) -> None:
        """Write members of an application."""
        applications = self.desk.vault.store.db[COLLECTION]
        await applications.update_one({"_id": one.application_id}, {"$set": values})

    async def publish(self, number: int = 1, entries: int | None = None) -> None:
        """Let the vault consume that a draw is published."""
        notices, campaign = LeftOutNotices(self.desk.vault.store), self.desk.vault.campaign.id
        event = DrawPublished(campaign=campaign, draw=DrawId(f"{campaign}-{number}"), entries=entries)
        await self.desk.vault.store.transact(partial(notices.on_published, [event]))

    async def issue(self, *drawn: Known, n: int = 1_000_000) -> None:
        """Let the vault consume that the lottery issued slips."""
        items = tuple(IssuedSlip(token=one.token, n=n) for one in drawn)
        event = SlipsIssued(campaign=self.desk.vault.campaign.id, items=items)

        async def consume(uow: UnitOfWork) -> None:
            kept = await ErasedCampaigns(self.desk.vault.store, "queue").without({new_event_id(): event}, uow)
            if kept:
                await self.desk.handlers.on_slips_issued(list(kept.values()), uow)

        await self.desk.vault.store.transact(consume)

    async def give_up(self, number: int = 1) -> None:
        """Let the vault consume that staff gave a draw up."""
        vault = self.desk.vault
        act = ActOfStaff(
            sub="a-handler", act=StaffAct.REDRAW, case=f"{vault.campaign.id}-{number}", at=vault.clock.now()
        )
        event = StaffActed(service="lottery", campaign=vault.campaign.id, items=(act,))
        lines = StaffActLines(vault.audit, vault.keystore, LeftOutNotices(vault.store).on_acted)
        await vault.store.transact(partial(lines.on_acted, [event]))

    async def look(self) -> None:
        """Let a vault that was just started look twice, as it does again and again."""
        watch = LeftOutWatch(self.desk.vault.store, self.desk.vault.keystore)
        for _ in range(2):
            await watch.look(self.desk.vault.campaign.id)

    async def contacts(self) -> list[Contact]:
        """Return what the vault published to the notifier."""
        events = await self.desk.vault.said(ContactsRegistered)
        return [item for event in events if isinstance(event, ContactsRegistered) for item in event.items]

    async def order(self, known: Known, channel: NoticeChannel) -> str:
        """Order the notice as any notifier could, a compromised one too; return the delivery's state."""
        members = {"notice": new_notice(), "kind": self.kind, "channel": channel, "n": 1, "slip": None}
        document: NoticeDocument = self.desk.result(known, **members)
        accept, campaign = self.desk.acceptance.accept, self.desk.vault.campaign.id
        accepted = await self.desk.vault.store.transact(lambda uow: accept(uow, campaign, [document], channel))
        return accepted.deliveries[0].outcome.state.value
