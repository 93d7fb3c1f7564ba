"""Describe an entry of the lottery, the vault's newest verdict on one receipt, as a frozen record. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

from shared.codes import EntryId, ProofDigest
from shared.ids import CampaignId, ClassId, Receipt, Token

EntryState = Literal["accepted", "rejected", "held"]


@dataclass(frozen=True)
class Entry:
    """The verdict with the highest revision. Only an accepted entry has choices and refused classes.

    `version`: version of the application that was judged. `entry`, `proof_sha256` and `token`: of a rejected one only
    if its content was readable.

    `choices`: (class, seats) in order of preference; `eligible`: classes that it could have asked for besides, where
    further rounds are for everybody; `refused`: (class, reason code); `verdict` and `reasons`: why it was rejected.
    """

    receipt: Receipt
    campaign: CampaignId
    state: EntryState
    version: int
    channel: str
    revision: int
    entry: EntryId | None = None
    proof_sha256: ProofDigest | None = None
    token: Token | None = None
    verdict: str | None = None
    choices: tuple[tuple[ClassId, int], ...] = ()
    refused: tuple[tuple[ClassId, str], ...] = ()
    reasons: tuple[str, ...] = ()
    eligible: tuple[tuple[ClassId, int], ...] = ()

    @property
    def id(self) -> str:
        """Key of the document: a receipt number is unique within its campaign only."""
        return receipt_key(self.campaign, self.receipt)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the entry of a stored document."""
        return cls(
            receipt=document["receipt"],
            campaign=document["campaign"],
            state=document["state"],
            version=document["version"],
            channel=document["channel"],
            revision=document["revision"],
            entry=document["entry"],
            proof_sha256=document["proof_sha256"],
            token=document["token"],
            verdict=document["verdict"],
            choices=tuple((choice["class_id"], choice["seats"]) for choice in document["choices"]),
            eligible=tuple((choice["class_id"], choice["seats"]) for choice in document.get("eligible", ())),
            refused=tuple((refusal["class_id"], refusal["reason"]) for refusal in document["refused"]),
            reasons=tuple(document["reasons"]),
        )

    def to_document(self) -> Mapping[str, Any]:
        """Return the document that `from_document` reads."""
        return {
            "_id": self.id,
            "campaign": self.campaign,
            "receipt": self.receipt,
            "state": self.state,
            "version": self.version,
            "channel": self.channel,
            "revision": self.revision,
            "entry": self.entry,
            "proof_sha256": self.proof_sha256,
            "token": self.token,
            "verdict": self.verdict,
            "choices": [{"class_id": class_id, "seats": seats} for class_id, seats in self.choices],
            "eligible": [{"class_id": class_id, "seats": seats} for class_id, seats in self.eligible],
            "refused": [{"class_id": class_id, "reason": reason} for class_id, reason in self.refused],
            "reasons": list(self.reasons),
        }


class ListedEntry(NamedTuple):
    """Members of a listed entry that its result needs; choices stand in the frozen list. `refused`: (class, reason)."""

    entry: EntryId
    receipt: Receipt
    token: Token
    refused: Sequence[tuple[ClassId, str]] = ()


def receipt_key(campaign: CampaignId, receipt: Receipt) -> str:
    """Return the key under which a receipt's verdict and its line of the roll are stored."""
    return f"{campaign}/{receipt}"
