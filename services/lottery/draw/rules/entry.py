"""Describe an entry of the lottery, the vault's newest verdict on one application, as a frozen record. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from shared.ids import ApplicationId, CampaignId, ClassId, Receipt, Token

EntryState = Literal["accepted", "rejected", "held"]


@dataclass(frozen=True)
class Entry:
    """The verdict with the highest revision. Only an accepted entry has choices and refused classes.

    `receipt` and `token`: of an application that is not in the draw, if the vault knows its person.

    `choices`: (class, seats) in order of preference; `refused`: (class, reason code); `reasons`: why it was rejected.
    """

    application_id: ApplicationId
    campaign: CampaignId
    state: EntryState
    channel: str
    revision: int
    receipt: Receipt | None = None
    token: Token | None = None
    choices: tuple[tuple[ClassId, int], ...] = ()
    refused: tuple[tuple[ClassId, str], ...] = ()
    reasons: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the entry of a stored document."""
        return cls(
            application_id=document["_id"],
            campaign=document["campaign"],
            state=document["state"],
            channel=document["channel"],
            revision=document["revision"],
            receipt=document["receipt"],
            token=document["token"],
            choices=tuple((choice["class_id"], choice["seats"]) for choice in document["choices"]),
            refused=tuple((refusal["class_id"], refusal["reason"]) for refusal in document["refused"]),
            reasons=tuple(document["reasons"]),
        )

    def to_document(self) -> Mapping[str, Any]:
        """Return the document that `from_document` reads."""
        return {
            "_id": self.application_id,
            "campaign": self.campaign,
            "state": self.state,
            "channel": self.channel,
            "revision": self.revision,
            "receipt": self.receipt,
            "token": self.token,
            "choices": [{"class_id": class_id, "seats": seats} for class_id, seats in self.choices],
            "refused": [{"class_id": class_id, "reason": reason} for class_id, reason in self.refused],
            "reasons": list(self.reasons),
        }
