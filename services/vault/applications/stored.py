"""One application as the vault stores it: the verdict on its highest version, without the person. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Self

from services.vault.applications.rules.states import DUPLICATE, ApplicationState, OwnStatus
from shared.codes import EntryId, ProofDigest
from shared.contracts import Channel, Choice, Refusal
from shared.ids import ApplicationId, CampaignId, Receipt, Token
from shared.json_types import JsonObject

SAME_PERSON: Final = "same-person"
"""Kind of a match with an application that looks like the same person, or was decided to be."""


@dataclass(frozen=True)
class Match:
    """Another application of the same person; `kind` is `same-person` or `copy`."""

    application_id: ApplicationId
    kind: str


@dataclass(frozen=True)
class VersionTime:
    """Arrival of one version. `stands`: its content replaced the one before; else it had not the applicant's code."""

    version: int
    received_at: datetime
    stands: bool


@dataclass(frozen=True)
class OwnDecision:
    """Decision of a handler about an application's own content, about which there was a doubt."""

    kind: Literal["accepted", "rejected"]
    decided_by: str


@dataclass(frozen=True)
class StoredApplication:
    """An application and its verdict.

    `token` is None if no version could be read: then no person is stored. `entry` is None until a version had a code.
    `version`: highest version answered; `content_version`: version of the content, lower where later versions did not
    carry the applicant's code. `keys`: keyed hashes by kind, empty without a person. `blocks`: keyed hash → kind of the
    groups in which it is searched. `arrived_at`: order among applications of one person; `received_at`: arrival of the
    first version. `versions`: arrivals of all versions that were answered, in order. `eligible`: classes that it could
    have asked for besides, where further rounds are for everybody.
    """

    application_id: ApplicationId
    campaign: CampaignId
    receipt: Receipt
    version: int
    content_version: int
    channel: Channel
    state: ApplicationState
    token: Token | None
    entry: EntryId | None
    proof_sha256: ProofDigest | None
    contact: Literal["mail", "post"] | None
    mail_domain_class: str | None
    choices: tuple[Choice, ...]
    refused: tuple[Refusal, ...]
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]
    match: Match | None
    keys: Mapping[str, str]
    blocks: Mapping[str, str]
    revision: int
    received_at: datetime
    arrived_at: datetime
    decided_by: str | None = None
    versions: tuple[VersionTime, ...] = ()
    own_decision: OwnDecision | None = None
    eligible: tuple[Choice, ...] = ()

    @property
    def is_rejected_as_duplicate(self) -> bool:
        """True if a handler rejected it because of another application; its own content is in order."""
        return self.state is ApplicationState.REJECTED and (self.match is not None or self.reasons == (DUPLICATE,))

    @property
    def gave_way(self) -> bool:
        """True if it is not in the draw because another application of the same person stands."""
        return self.state is ApplicationState.SUPERSEDED or self.is_rejected_as_duplicate

    @property
    def is_behind_another(self) -> bool:
        """True if another application of the same person, or perhaps of the same person, comes before it."""
        return self.gave_way or (self.state is ApplicationState.HELD and self.match is not None)

    @property
    def is_applying(self) -> bool:
        """True if its own content is in order: it stands, or would if no other application did."""
        if self.state is ApplicationState.REJECTED:
            return self.is_rejected_as_duplicate
        return self.state is not ApplicationState.WITHDRAWN

    @property
    def has_open_doubt(self) -> bool:
        """True while nobody has decided a doubt about its own content."""
        return bool(self.doubts) and self.own_decision is None

    @property
    def own_status(self) -> OwnStatus:
        """Status that the applicant reads; whether the same person applied before makes no difference."""
        if self.state is ApplicationState.WITHDRAWN:
            return "withdrawn"
        if not self.is_applying:
            return "rejected"
        return "under-review" if self.has_open_doubt else "complete"

    @property
    def own_reasons(self) -> tuple[str, ...]:
        """Reasons of its own against the application, as notices give them."""
        if self.state is ApplicationState.WITHDRAWN:
            return ("withdrawn",)
        return () if self.is_applying else self.reasons

    def misses(self, version: int) -> bool:
        """Return True for a version below the content that tells what none has told: the code, or a later person.

        Versions overtake each other where two instances take them. A withdrawal that came first names nobody.
        """
        if version >= self.content_version:
            return False
        known = max((one.version for one in self.versions if one.version < self.content_version), default=0)
        return self.entry is None or (not self.keys and (self.token is None or version > known))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection."""
        return cls(
            application_id=ApplicationId(document["_id"]),
            campaign=CampaignId(document["campaign"]),
            receipt=Receipt(document["receipt"]),
            version=document["version"],
            content_version=document["content_version"],
            channel=document["channel"],
            state=ApplicationState(document["state"]),
            token=document["token"],
            entry=document["entry"],
            proof_sha256=document["proof_sha256"],
            contact=document["contact"],
            mail_domain_class=document["mail_domain_class"],
            choices=tuple(Choice(**choice) for choice in document["choices"]),
            refused=tuple(Refusal(**refusal) for refusal in document["refused"]),
            reasons=tuple(document["reasons"]),
            doubts=tuple(document["doubts"]),
            match=Match(**document["match"]) if document["match"] else None,
            keys=dict(document["keys"]),
            blocks=dict(document["blocks"]),
            revision=document["revision"],
            received_at=document["received_at"],
            arrived_at=document["arrived_at"],
            decided_by=document["decided_by"],
            versions=tuple(VersionTime(**version) for version in document.get("versions", ())),
            own_decision=OwnDecision(**document["own_decision"]) if document["own_decision"] else None,
            eligible=tuple(Choice(**choice) for choice in document.get("eligible", ())),
        )

    def to_document(self) -> JsonObject:
        """Return the document to store."""
        match, own = self.match, self.own_decision
        return {
            "_id": self.application_id,
            "campaign": self.campaign,
            "receipt": self.receipt,
            "version": self.version,
            "content_version": self.content_version,
            "channel": self.channel,
            "state": self.state.value,
            "token": self.token,
            "entry": self.entry,
            "proof_sha256": self.proof_sha256,
            "contact": self.contact,
            "mail_domain_class": self.mail_domain_class,
            "choices": [choice.model_dump() for choice in self.choices],
            "eligible": [choice.model_dump() for choice in self.eligible],
            "refused": [refusal.model_dump() for refusal in self.refused],
            "reasons": list(self.reasons),
            "doubts": list(self.doubts),
            "match": {"application_id": match.application_id, "kind": match.kind} if match else None,
            "keys": dict(self.keys),
            "blocks": dict(self.blocks),
            "revision": self.revision,
            "received_at": self.received_at,
            "arrived_at": self.arrived_at,
            "decided_by": self.decided_by,
            "versions": [vars(version) for version in self.versions],
            "own_decision": {"kind": own.kind, "decided_by": own.decided_by} if own else None,
        }
