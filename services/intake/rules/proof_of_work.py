"""Check proof of work (hashcash), which a setting switches on while intake is under attack. Pure.

An applicant's device spends seconds on one application, an attacker as many on each of many. Intake stores nothing:
the work is bound to the sealed bytes and is valid for this application only (`docs/protocols.md` §1).
"""

import hashlib
import re

from services.intake.rules.submission import Submission
from shared.ids import CampaignId

_NONCE = re.compile(r"[0-9]{1,15}")


def is_done(campaign: CampaignId, submission: Submission, nonce: str | None, bits: int) -> bool:
    """Return True if the SHA-256 of domain, campaign, id, sealed text and `nonce` begins with `bits` zeros."""
    if bits == 0:
        return True
    if nonce is None or not _NONCE.fullmatch(nonce):
        return False
    content = ("kuji/proof-of-work/1", campaign, submission.application_id, submission.sealed, nonce)
    digest = hashlib.sha256("\0".join(content).encode("ascii")).digest()
    return int.from_bytes(digest, "big") >> (8 * len(digest) - bits) == 0
