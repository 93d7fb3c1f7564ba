"""A vault's close-out on a real database and real keys, with queues filled by hand, and two people in it."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import pyrage

from services.vault.closeout.answers import ErasureAnswers
from services.vault.closeout.campaign_folders import CampaignFolders
from services.vault.closeout.delay_queues import DelayQueueWatch
from services.vault.closeout.erasure import Erasure, Limits
from services.vault.closeout.logsearch import LogSearch
from services.vault.closeout.measuring import ERASED, VaultStores
from services.vault.closeout.order import ErasureOrders
from services.vault.closeout.repository import CloseOutRepository
from services.vault.closeout.return_package import ReturnPackages
from services.vault.closeout.rules.record import CloseOutRecord
from services.vault.closeout.rules.required_stores import OTHER_SERVICES, REQUIRED_STORES
from services.vault.closeout.rules.stages import Stage
from services.vault.closeout.ward_key import WardKeys
from services.vault.identities.person import Person
from shared.contracts import ErasureCompleted, ErasurePhase, StoreErasure
from shared.erasure import ANSWER_CONTEXT, signed_document
from shared.json_types import JsonObject
from shared.storage import OUTBOX
from shared.typesetting import Typesetter
from tests.support.approval_gate import KnownApprovals
from tests.support.erasure_harness import PlannedQueues, answer_keys
from tests.support.service_keys import service_key
from tests.support.vault_parts import Parts

PEOPLE = [
    Person("髙﨑 花子", "1600021", "新宿区歌舞伎町1-4-1", "0311112222", None, "p3", "hanako@example.jp", "髙﨑 太郎"),
    Person("=SUM(A1) 𠮷田", "1600023", "新宿区西新宿2-8-1", "0333334444", 34, None, None, None),
]
WARD = pyrage.x25519.Identity.generate()
HANDLER = "handler-1"
LONGEST_DELAY_S = 60


def answer_of(
    service: str,
    phase: ErasurePhase,
    *,
    campaign: str,
    erasure_id: str,
    left: dict[str, int] | None = None,
    without: frozenset[str] = frozenset(),
    signer: str | None = None,
) -> ErasureCompleted:
    """Return an answer for all required stores. `left`: records left by store; `signer`: whose key signs it."""
    counts = dict.fromkeys(sorted(REQUIRED_STORES[service] - without), 0) | (left or {})
    rows = [
        StoreErasure(store=store, before=3, after=count, residue=count, result="FAIL" if count else "PASS")
        for store, count in counts.items()
    ]
    draft = ErasureCompleted.model_validate(
        {
            "campaign": campaign,
            "erasure_id": erasure_id,
            "service": service,
            "phase": phase,
            "tombstone": "2018-06-18T00:00:02Z",
            "dropped": 0,
            "stores": [row.model_dump() for row in rows],
            "key": "0" * 16,
            "signature": "A" * 86,
        }
    )
    signed = service_key(signer or service).sign_document(ANSWER_CONTEXT, signed_document(draft))
    return ErasureCompleted.model_validate_json(json.dumps(signed))


@dataclass(frozen=True)
class CloseOutOffice:
    """The vault's close-out, and the actions of its staff and of the other services."""

    vault: Parts
    repository: CloseOutRepository
    returns: ReturnPackages
    orders: ErasureOrders
    answers: ErasureAnswers
    erasure: Erasure
    queues: PlannedQueues
    folders: CampaignFolders
    log: Path
    gate: KnownApprovals
    ward_keys: WardKeys

    def limited(self, *, answers_s: float = 60, copies_horizon_days: int | None = None) -> "CloseOutOffice":
        """Return the same office with other limits."""
        limits = Limits(answers_s=answers_s, copies_horizon_days=copies_horizon_days)
        watch = replace(self.erasure.delay_queues, give_up_s=answers_s)
        return replace(self, erasure=replace(self.erasure, limits=limits, delay_queues=watch))

    async def record(self) -> CloseOutRecord:
        return await self.repository.find(self.vault.campaign.id)

    async def fix_ward_key(self) -> None:
        """Fix the ward's key for returns."""
        key = str(WARD.to_public())
        await self.ward_keys.fix(self.vault.campaign.id, key, self.gate.new(), "responsible-1")

    async def make(self) -> JsonObject:
        """Make a package to the ward's key."""
        await self.fix_ward_key()
        return await self.returns.make(self.vault.campaign, self.gate.new(), HANDLER)

    async def give_back(self) -> bytes:
        """Make the package, fetch it, confirm it with the code inside; return the encrypted file."""
        made = await self.make()
        file = await self.returns.file(self.vault.campaign.id, made["id"])
        assert file is not None
        content = file.read_bytes()
        digest, code = hashlib.sha256(content).hexdigest(), code_in(bytes(pyrage.decrypt(content, [WARD])))
        await self.returns.confirm(self.vault.campaign.id, digest, code, "ward-1")
        return content

    async def order(self) -> None:
        """Order the erasure, and let the outbox empty itself as the publisher does."""
        await self.orders.order(self.vault.campaign, self.gate.new(), HANDLER)
        await self.vault.store.db[OUTBOX].delete_many({})

    async def erase(self, *, silent: tuple[str, ...] = ()) -> dict[str, object]:
        """Order, let the other services answer, carry out; return the certificate."""
        await self.order()
        await self.answer(*(set(OTHER_SERVICES) - set(silent)))
        await self.carry_out()
        return await self.certificate()

    async def carry_out(self) -> None:
        await self.erasure.carry_out(self.vault.campaign)

    async def answer(self, *services: str, left: dict[str, int] | None = None) -> None:
        """Let services answer for both phases; `left`: what they have not erased."""
        order = (await self.record()).order
        assert order is not None
        for service in services:
            for phase in ("erased", "measured"):
                await self.receive(
                    answer_of(service, phase, campaign=self.vault.campaign.id, erasure_id=order.erasure_id, left=left)
                )

    async def receive(self, event: ErasureCompleted) -> None:
        """Let one answer arrive."""
        await self.vault.store.transact(lambda uow: self.answers.on_completed([event], uow))

    async def certificate(self) -> dict[str, object]:
        content: dict[str, object] = json.loads((await self.record()).certificate or b"{}")
        return content

    async def stage(self) -> Stage:
        return (await self.record()).stage

    async def left(self) -> int:
        """Return the number of the campaign's documents in all collections of the vault."""
        wanted = {"campaign": self.vault.campaign.id}
        return sum([await self.vault.store.db[name].count_documents(wanted) for name in ERASED])

    async def one_step(self) -> None:
        """Carry out the step of the present stage, and no further."""
        record = await self.record()
        assert record.order is not None
        following = await self.erasure.step_of(record.stage)(self.vault.campaign, record, record.order)
        assert following is not None
        await self.repository.advance(self.vault.campaign.id, *following)


def wire(vault: Parts, folder: Path) -> CloseOutOffice:
    """Return the close-out of this vault, with logs, spool and sandbox folders below `folder`."""
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "vault.log").write_text('{"event":"batch-printed","campaign":"777-days"}\n', "utf-8")
    repository, folders, queues = CloseOutRepository(vault.store), CampaignFolders.below(folder), PlannedQueues()
    gate = KnownApprovals()
    ward_keys = WardKeys(vault.store, gate)
    returns = ReturnPackages(
        vault.store, vault.identities, vault.audit, repository, vault.clock, folders, gate, ward_keys
    )
    erasure = Erasure(
        store=vault.store,
        repository=repository,
        audit=vault.audit,
        stores=VaultStores(vault.store, vault.keystore, queues, folders),
        delay_queues=DelayQueueWatch(queues, LONGEST_DELAY_S, give_up_s=600),
        logs=LogSearch(vault.store, vault.identities, [logs]),
        typesetter=Typesetter(),
        clock=vault.clock,
        limits=Limits(answers_s=60, copies_horizon_days=None),
    )
    return CloseOutOffice(
        vault=vault,
        repository=repository,
        returns=returns,
        orders=ErasureOrders(vault.store, repository, vault.audit, vault.clock, gate, returns),
        answers=ErasureAnswers(repository, answer_keys()),
        erasure=erasure,
        queues=queues,
        folders=folders,
        log=logs / "vault.log",
        gate=gate,
        ward_keys=ward_keys,
    )


def code_in(package: bytes) -> str:
    """Return the code that stands in the read-me of an opened package."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        text = archive.read("README.txt").decode("utf-8-sig")
    return text.partition("受領コード")[2].split()[0]
