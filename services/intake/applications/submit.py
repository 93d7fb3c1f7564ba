"""Process one application over HTTP, from the rate limit to the receipt."""

from collections.abc import Mapping

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from services.intake import problems
from services.intake.applications.accept import Acceptance
from services.intake.applications.rate_limits import RateLimits
from services.intake.request_body import read_body
from services.intake.rules import proof_of_work
from services.intake.rules.submission import BODY_LIMIT, Submission
from shared.campaign import Campaign
from shared.contracts import Channel
from shared.ids import CampaignId, Receipt


class SubmissionService:
    """Process applications. `work_bits`: zero bits of proof of work that web applications need; paper needs none."""

    def __init__(
        self,
        campaigns: Mapping[CampaignId, Campaign],
        acceptance: Acceptance,
        limits: RateLimits,
        *,
        body_timeout_s: float,
        work_bits: int,
    ) -> None:
        self._campaigns, self._acceptance, self._check_limit = campaigns, acceptance, limits.applications()
        self._body_timeout_s, self._work_bits = body_timeout_s, work_bits

    async def submit(self, campaign: str, channel: Channel, request: Request, nonce: str | None) -> Receipt:
        """Return the receipt. Raises ProblemError, RequestValidationError, TransientError."""
        if channel == "web":
            await self._check_limit(request)
        known = find_campaign(self._campaigns, campaign)
        submission = _parse(await read_body(request, limit=BODY_LIMIT, timeout_s=self._body_timeout_s))
        if channel == "web" and not proof_of_work.is_done(known.id, submission, nonce, self._work_bits):
            raise problems.work_required(self._work_bits)
        return await self._acceptance.accept(known, channel, submission)


def find_campaign(campaigns: Mapping[CampaignId, Campaign], campaign: str) -> Campaign:
    """Return the campaign. Raises ProblemError 404 `campaign-unknown`."""
    known = campaigns.get(CampaignId(campaign))
    if known is None:
        raise problems.unknown_campaign()
    return known


def _parse(body: bytes) -> Submission:
    try:
        return Submission.model_validate_json(body)
    except ValidationError as error:
        mistakes = error.errors(include_input=False, include_context=False, include_url=False)
        raise RequestValidationError([{**mistake, "loc": ("body", *mistake["loc"])} for mistake in mistakes]) from None
