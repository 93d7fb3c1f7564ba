"""One application over HTTP, from the limits to the receipt; whichever way it came in."""

from collections.abc import Mapping

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from services.intake import problems
from services.intake.applications.accept import Acceptance
from services.intake.applications.rate_limits import Limits
from services.intake.request_body import read_body
from services.intake.rules import proof_of_work
from services.intake.rules.submission import BODY_LIMIT, Submission
from shared.campaign import Campaign
from shared.contracts import Channel
from shared.ids import CampaignId, Receipt


class Applying:
    """`work_bits`: proof of work asked of the web; paper is keyed in by staff, who are let in before."""

    def __init__(
        self,
        campaigns: Mapping[CampaignId, Campaign],
        acceptance: Acceptance,
        limits: Limits,
        *,
        body_timeout_s: float,
        work_bits: int,
    ) -> None:
        self._campaigns, self._acceptance, self._limited = campaigns, acceptance, limits.applications()
        self._body_timeout_s, self._work_bits = body_timeout_s, work_bits

    async def take(self, campaign: str, channel: Channel, request: Request, nonce: str | None) -> Receipt:
        """The receipt. Raises ProblemError, RequestValidationError, TransientError."""
        if channel == "web":
            await self._limited(request)
        known = known_campaign(self._campaigns, campaign)
        submission = _parse(await read_body(request, limit=BODY_LIMIT, timeout_s=self._body_timeout_s))
        if channel == "web" and not proof_of_work.is_done(known.id, submission, nonce, self._work_bits):
            raise problems.work_required(self._work_bits)
        return await self._acceptance.accept(known, channel, submission)


def known_campaign(campaigns: Mapping[CampaignId, Campaign], campaign: str) -> Campaign:
    """Raises ProblemError 404 `campaign-unknown`."""
    known = campaigns.get(CampaignId(campaign))
    if known is None:
        raise problems.unknown_campaign()
    return known


def _parse(body: bytes) -> Submission:
    try:
        return Submission.model_validate_json(body)
    except ValidationError as error:
        mistakes = error.errors(include_input=False, include_context=False, include_url=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in mistakes]) from None
