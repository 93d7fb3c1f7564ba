"""A vault's close-out wired on a real database and real keys, without a broker, and two people in it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pyrage

from services.vault.closeout.erasure import OTHERS, Erasure, Limits
from services.vault.closeout.logsearch import LogSearch
from services.vault.closeout.measuring import ERASED, Measuring
from services.vault.closeout.repository import Ledger
from services.vault.closeout.return_package import Returns, TakeOut
from services.vault.closeout.rules.certificate import Approval
from services.vault.closeout.rules.stages import Stage
from services.vault.identities.person import Person
from shared.contracts import ErasureCompleted, StoreErasure
from shared.ids import CampaignId
from shared.storage import OUTBOX
from shared.typesetting import Typesetter
from tests.support.vault_parts import Parts

PEOPLE = [
    Person("髙﨑 花子", "1600021", "新宿区歌舞伎町1-4-1", "0311112222", None, "p3", "hanako@example.jp", "髙﨑 太郎"),
    Person("=SUM(A1) 𠮷田", "1600023", "新宿区西新宿2-8-1", "0333334444", 34, None, None, None),
]
WARD = pyrage.x25519.Identity.generate()
TAKE_OUT = TakeOut(str(WARD.to_public()), "handler-1", "responsible-1")
APPROVAL = Approval("handler-1", "ward-1", "responsible-1")


class EmptyQueues:
    """The broker's side, for tests that need no broker."""

    async def queue_depths(self) -> dict[str, int]:
        return {"vault.application.received": 0}

    async def purge_campaign(self, campaign: CampaignId) -> int:
        assert campaign
        return 0


@dataclass(frozen=True)
class Office:
    vault: Parts
    ledger: Ledger
    returns: Returns
    erasure: Erasure
    log: Path

    async def give_back(self) -> bytes:
        """Make the package, fetch it, confirm it; the encrypted file."""
        made = await self.returns.make(self.vault.campaign, TAKE_OUT)
        file = await self.returns.file(self.vault.campaign.id, made["id"])
        assert file is not None
        content = file.read_bytes()
        await self.returns.confirm(self.vault.campaign.id, hashlib.sha256(content).hexdigest(), "ward-1")
        return content

    async def erase(self, *, silent: tuple[str, ...] = ()) -> dict[str, object]:
        """Order, let the others answer, carry out; the certificate."""
        await self.erasure.order(self.vault.campaign, APPROVAL, None)
        await self.answer(*(set(OTHERS) - set(silent)))
        await self.erasure.carry_out(self.vault.campaign)
        return await self.certificate()

    async def answer(self, *services: str, result: str = "PASS") -> None:
        _, record = await self.ledger.of(self.vault.campaign.id)
        left = 0 if result == "PASS" else 3
        store = StoreErasure(store="queues", before=None, after=left, residue=left, result=result)
        events = [
            ErasureCompleted(
                campaign=self.vault.campaign.id, erasure_id=record["order"]["id"], service=service, stores=(store,)
            )
            for service in services
        ]
        await self.vault.store.transact(lambda uow: self.erasure.on_completed(events, uow))
        await self.vault.store.db[OUTBOX].delete_many({})

    async def certificate(self) -> dict[str, object]:
        _, record = await self.ledger.of(self.vault.campaign.id)
        content: dict[str, object] = json.loads(record["certificate"])
        return content

    async def stage(self) -> Stage:
        return (await self.ledger.of(self.vault.campaign.id))[0]

    async def left(self) -> int:
        wanted = {"campaign": self.vault.campaign.id}
        return sum([await self.vault.store.db[name].count_documents(wanted) for name in ERASED])


def wire(vault: Parts, folder: Path, limits: Limits) -> Office:
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "vault.log").write_text('{"event":"batch-printed","campaign":"777-days"}\n', "utf-8")
    ledger = Ledger(vault.store)
    returns = Returns(vault.store, vault.identities, vault.audit, ledger, vault.clock, folder / "outgoing")
    erasure = Erasure(
        store=vault.store,
        ledger=ledger,
        audit=vault.audit,
        measuring=Measuring(vault.store, vault.keystore, EmptyQueues(), returns),
        logs=LogSearch(vault.store, vault.identities, [logs]),
        typesetter=Typesetter(),
        clock=vault.clock,
        limits=limits,
    )
    return Office(vault, ledger, returns, erasure, logs / "vault.log")
