"""Proof of work (hashcash), switched on by a setting while intake is under attack. Pure.

A device spends seconds on one application and an attacker as many on each of his, with nothing to keep here: the work
is bound to the sealed bytes, so it can be done once per application and for no other (`docs/protocols.md` §1).
"""

import hashlib
import re

from services.intake.rules.submission import Submission
from shared.ids import CampaignId

_NONCE = re.compile(r"[0-9]{1,15}")


def is_done(campaign: CampaignId, submission: Submission, nonce: str | None, bits: int) -> bool:
    """Whether SHA-256 over domain, campaign, id, sealed text and `nonce` (decimal) begins with `bits` zero bits."""
    if bits == 0:
        return True
    if nonce is None or not _NONCE.fullmatch(nonce):
        return False
    said = ("kuji/proof-of-work/1", campaign, submission.application_id, submission.sealed, nonce)
    digest = hashlib.sha256("\0".join(said).encode("ascii")).digest()
    return int.from_bytes(digest, "big") >> (8 * len(digest) - bits) == 0
