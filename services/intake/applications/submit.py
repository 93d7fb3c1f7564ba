"""Process one application, correction or withdrawal over HTTP, from the rate limit to the receipt document."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from fastapi import Request

from services.intake import problems
from services.intake.applications.accept import Acceptance
from services.intake.applications.rate_limits import RateLimits
from services.intake.applications.repository import SubmissionRepository
from services.intake.applications.stored import StoredSubmission
from services.intake.applications.versions import VersionAcceptance
from services.intake.request_body import parse_body, read_body
from services.intake.rules import proof_of_work
from services.intake.rules.submission import BODY_LIMIT, Submission, VersionSubmission
from shared.campaign import Campaign
from shared.codes import proof_digest
from shared.ids import CampaignId, parse_application_id
from shared.web.wrong_proofs import WrongProofs

_NO_DIGEST: Final = hashlib.sha256(b"no application").hexdigest()
"""Compared with the proof where there is no application, so that the answer takes the same time."""


class SubmissionService:
    """Process applications. `work_bits`: zero bits of proof of work that an application needs while many arrive."""

    def __init__(
        self,
        campaigns: Mapping[CampaignId, Campaign],
        acceptance: Acceptance,
        limits: RateLimits,
        *,
        body_timeout_s: float,
        work_bits: int,
    ) -> None:
        self._campaigns, self._acceptance = campaigns, acceptance
        self._limits, self._check_limit = limits, limits.applications()
        self._body_timeout_s, self._work_bits = body_timeout_s, work_bits

    async def submit(self, campaign: str, request: Request, nonce: str | None) -> str:
        """Return the receipt document. Raises ProblemError, RequestValidationError, TransientError."""
        await self._check_limit(request)
        known = find_campaign(self._campaigns, campaign)
        submission = parse_body(Submission, await read_body(request, limit=BODY_LIMIT, timeout_s=self._body_timeout_s))
        bits = self._work_bits if self._work_bits and self._limits.needs_work(request) else 0
        if not proof_of_work.is_done(known.id, submission, nonce, bits):
            raise problems.work_required(bits)
        return await self._acceptance.accept(known, submission)


class VersionService:
    """Process corrections and withdrawals.

    A right proof always passes. Wrong ones count against the sender's address only, so that a stranger cannot keep
    the applicant out; a wrong proof and an unknown application get the same answer after the same work.
    """

    def __init__(
        self,
        submissions: SubmissionRepository,
        acceptance: VersionAcceptance,
        limits: RateLimits,
        wrong_proofs: WrongProofs,
        *,
        body_timeout_s: float,
    ) -> None:
        self._submissions, self._acceptance, self._check_limit = submissions, acceptance, limits.applications()
        self._wrong_proofs, self._body_timeout_s = wrong_proofs, body_timeout_s

    async def submit(self, application_id: str, request: Request) -> str:
        """Return the receipt document. Raises ProblemError, RequestValidationError, TransientError."""
        await self._check_limit(request)
        body = await read_body(request, limit=BODY_LIMIT, timeout_s=self._body_timeout_s)
        submission = parse_body(VersionSubmission, body)
        stored = await self._find(application_id)
        if not _is_proof_of(stored, submission.proof) or stored is None:
            wait_s = self._wrong_proofs.count(request)
            raise problems.not_yours() if wait_s is None else problems.too_many(wait_s)
        return await self._acceptance.accept(stored, submission)

    async def _find(self, application_id: str) -> StoredSubmission | None:
        try:
            return await self._submissions.find(parse_application_id(application_id))
        except ValueError:
            return None


def _is_proof_of(stored: StoredSubmission | None, proof: str) -> bool:
    """Return True if this is the proof of an application with a receipt; compare in constant time."""
    expected = stored.arrival.proof_sha256 if stored is not None and stored.has_receipt else _NO_DIGEST
    return hmac.compare_digest(_digest(proof), expected)


def _digest(proof: str) -> str:
    """Return the digest of a proof; that of nothing where it is not canonical base64url."""
    try:
        return proof_digest(proof)
    except ValueError:
        return ""


def find_campaign(campaigns: Mapping[CampaignId, Campaign], campaign: str) -> Campaign:
    """Return the campaign. Raises ProblemError 404 `campaign-unknown`."""
    known = campaigns.get(CampaignId(campaign))
    if known is None:
        raise problems.unknown_campaign()
    return known
