"""Accept corrections and withdrawals, each in one transaction with its event to the vault (`docs/protocols.md` §1).

A version is wholly accepted or refused: its record, the application's last version and the event in the outbox are
committed together. The transaction also writes to the campaign's stage, so it conflicts with the closing: a version
that gets a receipt document stands in the roll.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from services.intake import problems
from services.intake.applications.admission_check import AdmissionCheck, refuse_closed
from services.intake.applications.publish import event_id_of
from services.intake.applications.repository import SubmissionRepository
from services.intake.applications.stored import StoredSubmission
from services.intake.applications.version_repository import StoredVersion, VersionRepository
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.receipts.sign import Receiptable, ReceiptSigner, truncate_to_milliseconds
from services.intake.rules.submission import VersionSubmission, hash_sealed, version_fingerprint
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import ApplicationReceived
from shared.ids import CampaignId
from shared.storage import Store, UnitOfWork
from shared.web import ProblemError

MOST_VERSIONS: Final = 20
"""Corrections and withdrawals that one application takes."""


class VersionAcceptance:
    """Give receipt documents for versions after the first."""

    def __init__(
        self,
        store: Store,
        campaigns: Mapping[CampaignId, Campaign],
        submissions: SubmissionRepository,
        versions: VersionRepository,
        admission: AdmissionCheck,
        stages: CampaignStageRepository,
        signer: ReceiptSigner,
        clock: Clock,
    ) -> None:
        self._store, self._campaigns, self._submissions, self._versions = store, campaigns, submissions, versions
        self._admission, self._stages, self._signer, self._clock = admission, stages, signer, clock
        self._one_at_a_time = asyncio.Lock()  # the transactions of one process would conflict at the stage

    async def accept(self, stored: StoredSubmission, submission: VersionSubmission) -> str:
        """Return the receipt document; a repetition returns the same one. Raises ProblemError (403, 409, 503).

        `stored`: the application as it was when the proof was compared. The version is the next one after it.
        """
        campaign, at = self._campaigns.get(stored.arrival.campaign), truncate_to_milliseconds(self._clock.now())
        if campaign is None:
            raise problems.not_yours()
        refusal = await self._admission.refusal(campaign, "web", submission.key_id, at)
        arrival = _Arrival(campaign, stored, submission, at, refusal)
        async with self._one_at_a_time:
            return await self._store.transact(lambda uow: self._accept(arrival, uow))

    async def _accept(self, arrival: "_Arrival", uow: UnitOfWork) -> str:
        current = await self._submissions.find(arrival.application_id, uow)
        if current is None or not current.has_receipt:
            raise problems.not_yours()  # the campaign or the person was erased since the proof was compared
        earlier = await self._versions.find_same(arrival.application_id, arrival.fingerprint, uow)
        if earlier is not None:
            return earlier.document
        if arrival.refusal is not None:
            raise arrival.refusal
        if current.version + 1 != arrival.version:
            raise problems.version_taken(current.version + 1)
        if arrival.version > MOST_VERSIONS + 1:
            raise problems.too_many_versions(MOST_VERSIONS)
        if not await self._stages.keep_open(arrival.campaign.id, uow):
            raise refuse_closed(arrival.campaign, "web")
        return await self._add(arrival, uow)

    async def _add(self, arrival: "_Arrival", uow: UnitOfWork) -> str:
        signed = self._signer.sign(arrival.stored.receipt, arrival.stated)
        version = StoredVersion.of_receipt(arrival.application_id, arrival.campaign.id, arrival.fingerprint, signed)
        await self._versions.add(version, uow)
        if not await self._submissions.advance_version(arrival.application_id, signed, uow):
            raise problems.not_yours()
        event = arrival.event
        await uow.emit(event, event_id_of(event))
        return signed.document


class _Arrival:
    """A version that arrives, for an application whose proof was right."""

    def __init__(
        self,
        campaign: Campaign,
        stored: StoredSubmission,
        submission: VersionSubmission,
        at: datetime,
        refusal: ProblemError | None,
    ) -> None:
        self.campaign, self.stored, self._submission, self._at, self.refusal = campaign, stored, submission, at, refusal
        self.application_id = stored.arrival.application_id
        self.version = submission.version or stored.version + 1
        self.fingerprint = version_fingerprint(self.application_id, submission)

    @property
    def stated(self) -> Receiptable:
        """What the receipt document states."""
        sealed_sha256 = hash_sealed(self._submission.sealed)
        return Receiptable(self.campaign.id, self.application_id, sealed_sha256, self._at, self.version)

    @property
    def event(self) -> ApplicationReceived:
        """Event to the vault."""
        return ApplicationReceived(
            campaign=self.campaign.id,
            application_id=self.application_id,
            receipt=self.stored.receipt,
            version=self.version,
            channel="web",
            key_id=self._submission.key_id,
            sealed=self._submission.sealed,
            received_at=self._at,
        )
