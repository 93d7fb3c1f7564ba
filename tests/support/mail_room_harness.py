"""The vault's mail room for tests: real database, a mail server on loopback, slips signed by the lottery's key."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from services.vault.deliveries import left_out_repository, published_draws_repository, slips_repository
from services.vault.deliveries import repository as deliveries
from services.vault.deliveries.accept import DocumentAcceptance
from services.vault.identities.person import Person
from services.vault.mail.composer import MailComposer
from services.vault.mail.handlers import MailHandlers
from services.vault.mail.room import MailRoom, Pace
from services.vault.mail.rules.bounce_address import BounceAddresses
from services.vault.mail.session import MailServer as Mta
from services.vault.mail.sessions import SessionPool
from services.vault.notices import repository as template_repository
from services.vault.notices.released import ReleasedTemplates
from services.vault.notices.repository import ReleasedTemplate, TemplateRepository
from services.vault.notices.sources import TemplateFiles, template_sha256
from shared.contracts import SLIP_CONTEXT, MailAnswer, MailCompleted, MailRequested, NoticeChannel, NoticeDocument
from shared.ids import NoticeId
from shared.json_types import JsonObject
from shared.service_keys import PublicKeys, read_private_key
from tests.support.approval_gate import KnownApprovals
from tests.support.service_keys import keys_dir
from tests.support.vault_parts import Known, Parts, parts
from tests.support.waiting import until

BOUNCES = "bounces.example"
QUICK = Pace(poll_s=0.02, lease_s=5.0, retry_s=0.1, take_over_s=0.1)
COLLECTIONS = (
    *deliveries.collections(),
    *left_out_repository.collections(),
    *published_draws_repository.collections(),
    *slips_repository.collections(),
    *template_repository.collections(),
)


def person(number: int, mailbox: str | None = "") -> Person:
    """Return a person whose name, address and mailbox no other number has; None: without a mailbox."""
    name = f"髙﨑{chr(0x4E00 + 7 * number % 5000)} 𠮷{chr(0x5000 + 11 * number % 6007)}"
    address = f"person{number}@mail.example" if mailbox == "" else mailbox
    return Person(name, "1600021", f"東京都新宿区歌舞伎町{number}丁目4-1", f"03{number:08d}", 34, None, address, None)


def new_notice() -> NoticeId:
    """Return a notice id of the right form."""
    return NoticeId(f"n-{secrets.token_hex(10)}")


def sign_slip(
    vault: Parts, known: Known, n: int = 1_000_000, *, keys: Path | None = None, **changes: Any
) -> JsonObject:
    """Return a slip of the lottery: one class won, with a pass. `keys`: folder of the lottery's signing key."""
    slip = {
        "v": 2,
        "campaign": vault.campaign.id,
        "draw": f"{vault.campaign.id}-1",
        "n": n,
        "token": known.token,
        "receipt": known.receipt,
        "entry": known.entry,
        "issued_at": "2018-05-29T10:00:00+09:00",
        "outcomes": [{"class_id": "junior-football", "outcome": "won", "seats": 1}],
        "passes": [{"class_id": "junior-football", "code": "KP1:" + "A2B7" * 40}],
    }
    return read_private_key(keys or keys_dir(), "lottery", "signing").sign_in_context(SLIP_CONTEXT, slip | changes)


@dataclass
class MailDesk:
    """Mail room with its parts. `order` plays the notifier; `answers` reads what the vault told it."""

    vault: Parts
    acceptance: DocumentAcceptance
    handlers: MailHandlers
    templates: ReleasedTemplates
    mta: Mta
    pace: Pace = field(default=QUICK)

    def new_room(self, pace: Pace | None = None, sessions: int = 4) -> MailRoom:
        """Return one more mail room on the same database, as another vault process has it."""
        vault = self.vault
        bounces = BounceAddresses(BOUNCES, vault.keystore.bounce_key)
        composer = MailComposer(vault.store, vault.identities, self.templates, vault.campaigns, bounces, vault.clock)
        return MailRoom(vault.store, composer, SessionPool(self.mta, sessions), pace or self.pace)

    @asynccontextmanager
    async def running(self, pace: Pace | None = None, sessions: int = 4) -> AsyncIterator[MailRoom]:
        """Run a mail room."""
        room = self.new_room(pace, sessions)
        room.start()
        try:
            yield room
        finally:
            await room.stop(10)

    async def order(self, *documents: NoticeDocument) -> None:
        """Order mails, a hundred in a message."""
        for start in range(0, len(documents), 100):
            event = MailRequested(campaign=self.vault.campaign.id, items=documents[start : start + 100])
            await self.vault.store.transact(partial(self.handlers.on_requested, [event]))

    async def answers(self) -> list[MailAnswer]:
        """Return all answers so far, in order."""
        events = await self.vault.said(MailCompleted)
        return [item for event in events if isinstance(event, MailCompleted) for item in event.items]

    async def wait_for_answers(self, count: int) -> list[MailAnswer]:
        """Return the answers as soon as there are so many."""

        async def has_enough() -> bool:
            return len(await self.answers()) >= count

        await until(has_enough)
        return await self.answers()

    def result(self, known: Known, n: int = 1_000_000, **changes: Any) -> NoticeDocument:
        """Return the order of a result."""
        members = {
            "notice": new_notice(),
            "campaign": self.vault.campaign.id,
            "kind": "result",
            "channel": "mail",
            "attempt": 1,
            "n": n,
            "token": known.token,
            "slip": sign_slip(self.vault, known, n),
        }
        return NoticeDocument.model_validate(members | changes)

    def announcement(self, people: Sequence[Known], **changes: Any) -> NoticeDocument:
        """Return the order of an announcement in BCC."""
        members = {
            "notice": new_notice(),
            "campaign": self.vault.campaign.id,
            "kind": "cancelled-by-weather",
            "channel": "mail",
            "attempt": 1,
            "n": 1,
            "tokens": [known.token for known in people],
            "params": {"weather": "rain"},
        }
        return NoticeDocument.model_validate(members | changes)

    async def release(self, kind: str, channel: NoticeChannel = "mail", text: str | None = None) -> None:
        """Release the default template of this kind, or another text."""
        found = TemplateFiles(Path("deploy/campaigns")).read(self.vault.campaign.id, kind, channel)
        assert found is not None
        source = text or found.text
        released = ReleasedTemplate(
            self.vault.campaign.id,
            kind,
            channel,
            1,
            template_sha256(kind, channel, source),
            source,
            "a-handler",
            self.vault.clock.now(),
        )
        templates = TemplateRepository(self.vault.store)
        await self.vault.store.transact(lambda uow: templates.insert(uow, released))


@asynccontextmanager
async def mail_desk(
    mongo_url: str, namespace: str, folder: Path, smtp_port: int, *collections: Any, timeout_s: float = 5.0
) -> AsyncIterator[MailDesk]:
    """Open a vault with a mail room in front of the mail server on this port; all kinds of mails are released."""
    async with parts(mongo_url, namespace, folder, [*COLLECTIONS, *collections]) as vault:
        templates = ReleasedTemplates(
            vault.store,
            vault.campaigns,
            TemplateFiles(Path("deploy/campaigns")),
            vault.audit,
            vault.clock,
            KnownApprovals(),
        )
        acceptance = DocumentAcceptance(vault.store, vault.campaigns, templates, PublicKeys(keys_dir()))
        mta = Mta("127.0.0.1", smtp_port, "none", timeout_s)
        desk = MailDesk(vault, acceptance, MailHandlers(vault.store, acceptance), templates, mta)
        for kind in ("result", "place-won", "acknowledgement", "rejected", "same-person", "cancelled-by-weather"):
            await desk.release(kind)
        yield desk
