"""One person is erased at intake while a correction of the application is under way, and where it came on paper."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.intake.applications.admission_check import AdmissionCheck
from services.intake.applications.repository import APPLICATIONS, SubmissionRepository
from services.intake.applications.stored import Arrival, StoredSubmission
from services.intake.applications.version_repository import VERSIONS, VersionRepository
from services.intake.applications.versions import VersionAcceptance
from services.intake.campaigns.sealing_key_repository import SealingKey, SealingKeyRepository
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.papers.repository import PAPERS
from services.intake.receipts.sign import Receiptable, ReceiptSigner
from services.intake.rules.states import Status
from services.intake.rules.submission import VersionSubmission
from shared.clock import FixedClock
from shared.encoding import b64url
from shared.ids import KeyId
from shared.storage import OUTBOX
from shared.web import ProblemError
from tests.support.applicants import new_applicant
from tests.support.person_harness import SETTINGS, Service, check, service_of
from tests.support.service_keys import service_key
from tests.support.vault_parts import CAMPAIGN

NOW = SETTINGS.window.opens + timedelta(days=1)


@pytest.fixture
async def intake(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with service_of("intake", mongo_url, namespace, tmp_path) as opened:
        yield opened


class Corrections:
    """The real acceptance of corrections, and one application with a receipt."""

    def __init__(self, intake: Service) -> None:
        store, signer = intake.store, ReceiptSigner(service_key("intake"))
        self._store, self.submissions = store, SubmissionRepository(store, signer)
        stages, keys = CampaignStageRepository(store), SealingKeyRepository(store)
        self.acceptance = VersionAcceptance(
            store,
            {CAMPAIGN: SETTINGS},
            self.submissions,
            VersionRepository(store),
            AdmissionCheck(keys),
            stages,
            signer,
            FixedClock(NOW),
        )
        self._stages, self._keys = stages, keys

    async def apply(self) -> StoredSubmission:
        """Store an application with a receipt, as it is read when the proof is compared."""
        await self._stages.ensure([CAMPAIGN])
        key = SealingKey(CAMPAIGN, KeyId("k1"), NOW + timedelta(days=1), "{}")
        await self._store.transact(lambda uow: self._keys.save(key, uow))
        arrival = Arrival(new_applicant(CAMPAIGN).application_id, CAMPAIGN, "web", "b" * 64, "c" * 64, NOW)  # type: ignore[arg-type]
        await self.submissions.add(arrival, bytes(32), "d" * 64)
        await self.submissions.confirm(arrival.application_id)
        return await self.read()

    async def read(self) -> StoredSubmission:
        """Read the only application."""
        [document] = await self._store.db[APPLICATIONS].find().to_list(None)
        return StoredSubmission.from_document(document)

    async def correct(self, stored: StoredSubmission, content: int = 1) -> str:
        """Accept a correction whose proof was right."""
        sealed = b64url(bytes([content]) * 1300)
        body = VersionSubmission(v=2, key_id=KeyId("k1"), sealed=sealed, proof=b64url(bytes(32)))  # type: ignore[arg-type]
        return await self.acceptance.accept(stored, body)


async def test_a_correction_on_its_way_does_not_bring_an_erased_person_back(intake: Service):
    corrections = Corrections(intake)
    await corrections.correct(await corrections.apply())
    stored = await corrections.read()
    check(await intake.erase(stored), "intake", applications=1, versions=1)
    for content in (1, 2):  # the correction that was accepted before, and one whose proof was compared before
        with pytest.raises(ProblemError) as refused:
            await corrections.correct(stored, content)
        assert refused.value.name == "not-yours"
    [row] = await intake.store.db[APPLICATIONS].find().to_list(None)
    assert (row["status"], row["version"]) == (Status.ERASED, 2)
    assert await intake.store.db[VERSIONS].count_documents({}) == 0
    assert await intake.store.db[OUTBOX].count_documents({"name": "application.received"}) == 1


async def test_no_version_follows_the_last_one_of_an_erased_application(intake: Service):
    corrections = Corrections(intake)
    stored = await corrections.apply()
    await intake.erase(stored)
    stated = Receiptable(CAMPAIGN, stored.arrival.application_id, "d" * 64, NOW, 2)
    signed = ReceiptSigner(service_key("intake")).sign(stored.receipt, stated)
    assert not await intake.store.transact(
        lambda uow: corrections.submissions.advance_version(stored.arrival.application_id, signed, uow)
    )
    assert await corrections.submissions.find_by_receipt(CAMPAIGN, stored.receipt) is None


async def test_the_paper_that_gave_the_receipt_is_emptied_and_keeps_its_line(intake: Service):
    corrections = Corrections(intake)
    stored = await corrections.apply()
    paper = {
        "_id": "p-" + "1" * 32, "campaign": CAMPAIGN, "channel": "post", "serial": "P-000001", "fingerprint": "e" * 64,
        "receipt": stored.receipt, "document": '{"v":2}', "line": "f" * 64, "status": "keyed",
    }  # fmt: skip
    papers = intake.store.db[PAPERS]
    await papers.insert_many([paper, {**paper, "_id": "p-2", "serial": "P-000002", "receipt": "P-0000-0000-0"}])
    check(await intake.erase(stored), "intake", applications=1, papers=1)
    emptied, other = await papers.find().sort("serial", 1).to_list(None)
    assert (emptied["fingerprint"], emptied["document"], emptied["line"]) == ("0" * 64, "", "f" * 64)
    assert other["document"] == paper["document"]
