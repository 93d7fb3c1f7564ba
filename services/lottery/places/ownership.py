"""Proof that a caller owns an entry: the proof that only the holder of its code can compute (`docs/protocols.md` §0).

The lottery knows only SHA-256 of the proof. The answer is the same for an unknown entry and for a wrong proof. A right
proof always passes, however many wrong ones others sent.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.states import DrawState, WrongStateError
from shared.codes import EntryId, ProofDigest, proof_digest
from shared.errors import KujiError
from shared.ids import CampaignId, DrawId, Receipt
from shared.storage import Store

_NO_DIGEST: Final = ProofDigest("0" * 64)


class WrongProofError(KujiError):
    """Raised when the proof is not that of the entry, or there is no such entry."""


@dataclass(frozen=True)
class PlaceOwner:
    """Entry whose ownership was proved. `draw`: under whose id its places are stored."""

    entry: EntryId
    receipt: Receipt
    draw: DrawId


class Ownership:
    """Proves who owns entries."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def prove(self, campaign: CampaignId, entry: EntryId, proof: str) -> PlaceOwner:
        """Return the owner of the entry.

        Raises WrongProofError; WrongStateError before publication and after a request for erasure.
        """
        draw = await DrawRepository(self._store).get(campaign)
        has_places = draw.state is DrawState.PUBLISHED or draw.further is not None
        if not has_places or draw.is_erasing:
            raise WrongStateError(draw.state)
        known = await EntryRepository(self._store).find_by_id(campaign, entry)
        right = is_proof_of(known.proof_sha256 if known else None, proof)
        if known is None or not right:
            raise WrongProofError("not the proof of this entry")
        return PlaceOwner(entry, known.receipt, draw.base)


def is_proof_of(digest: ProofDigest | None, proof: str) -> bool:
    """Return True if `digest` is that of the proof. The time does not depend on where they differ."""
    try:
        shown = proof_digest(proof)
    except ValueError:
        return False
    return hmac.compare_digest(shown, digest or _NO_DIGEST)
