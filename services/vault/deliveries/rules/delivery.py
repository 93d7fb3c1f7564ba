"""Record of one delivery: a notice document with its state. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Self

from services.vault.deliveries.rules.states import HOLDS_SLOT, OPEN, DeliveryState
from shared.contracts import MailAnswer, NoticeDocument, OutcomeSlip, RecipientRefusal
from shared.ids import CampaignId, NoticeId, Token
from shared.json_types import JsonObject

SLOTS: Final = 2
"""Mails, and cards, that one applicant gets of one kind and number at most."""

_MEMBERS: Final = ("notice", "campaign", "kind", "channel", "attempt", "n")


@dataclass(frozen=True)
class Outcome:
    """Result of a delivery. `code`: of the mail server. `refused`: recipients of an announcement that it refused."""

    state: DeliveryState
    code: int | None = None
    refused: tuple[RecipientRefusal, ...] = ()


@dataclass(frozen=True)
class Delivery:
    """One document and its state. `lost_sessions`: sessions to the mail server that ended at it before its text.

    `slot`: 1 or 2, its number among the mails or cards that may have reached the applicant; None for other deliveries.
    `mark`: of the claim that holds it.
    """

    document: NoticeDocument = field(repr=False)
    outcome: Outcome
    slot: int | None = None
    lost_sessions: int = 0
    mark: str | None = None

    @property
    def id(self) -> str:
        """Return the id of the row: a repeated document has the same."""
        return delivery_id(self.document)

    @property
    def notice(self) -> NoticeId:
        return self.document.notice

    @property
    def campaign(self) -> CampaignId:
        return self.document.campaign

    @property
    def tokens(self) -> tuple[Token, ...]:
        return tuple(Token(token) for token in self.document.recipients)

    @property
    def is_open(self) -> bool:
        """Return True while there is no answer."""
        return self.outcome.state in OPEN

    @cached_property
    def slip(self) -> OutcomeSlip | None:
        """Slip of the document; None for other kinds."""
        return None if self.document.slip is None else OutcomeSlip.model_validate(self.document.slip)

    def answer(self) -> MailAnswer:
        """Return the answer to the notifier. Raises ValueError while the delivery is open."""
        if self.is_open:
            raise ValueError("the delivery has no answer yet")
        return answer_of(self.document, self.outcome)

    def settled(self, outcome: Outcome) -> Self:
        """Return the delivery with this outcome."""
        return replace(self, outcome=outcome, slot=self.slot if outcome.state in HOLDS_SLOT else None)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Read a row of the collection."""
        tokens = row["tokens"]
        recipients = {"tokens": tokens} if row["bulk"] else {"token": tokens[0]}
        members = {name: row[name] for name in _MEMBERS}
        document = NoticeDocument.model_validate(
            members | recipients | {"params": row["params"], "slip": row.get("slip")}
        )
        refused = tuple(RecipientRefusal(**refusal) for refusal in row.get("refused", ()))
        outcome = Outcome(DeliveryState(row["state"]), row.get("code"), refused)
        return cls(document, outcome, row.get("slot"), row.get("lost_sessions", 0), row.get("mark"))

    def to_row(self) -> JsonObject:
        """Return the row to insert, without claims. An invalid delivery takes no key: it must not block a good one."""
        document, outcome = self.document, self.outcome
        row: JsonObject = {name: getattr(document, name) for name in _MEMBERS}
        row |= {
            "_id": self.id,
            "tokens": list(document.recipients),
            "bulk": document.tokens is not None,
            "params": document.params,
            "state": outcome.state.value,
        }
        if outcome.state is not DeliveryState.INVALID:
            row["keys"] = list(keys(document))
        if self.slot is not None:
            row |= {"slot": self.slot, "slots": list(slots(document, self.slot))}
        if self.is_open and document.slip is not None:
            row["slip"] = document.slip
        return row


def delivery_id(document: NoticeDocument) -> str:
    """Return the id of the document's delivery."""
    return f"{document.notice}:{document.channel}:{document.attempt}"


def keys(document: NoticeDocument) -> tuple[str, ...]:
    """Return the key of each recipient; (token, n, kind, channel, attempt) is unique in the vault."""
    return tuple(f"{head}:{document.attempt}" for head in _heads(document))


def slots(document: NoticeDocument, slot: int) -> tuple[str, ...]:
    """Return the names of this slot of all recipients; each exists once in the vault."""
    return tuple(f"{head}#{slot}" for head in _heads(document))


def _heads(document: NoticeDocument) -> tuple[str, ...]:
    tail = f"{document.n}:{document.kind}:{document.channel}"
    return tuple(f"{token}:{tail}" for token in document.recipients)


def answer_of(document: NoticeDocument, outcome: Outcome) -> MailAnswer:
    """Return the answer that tells this outcome of the document."""
    return MailAnswer.model_validate(
        {
            "notice": document.notice,
            "attempt": document.attempt,
            "answer": outcome.state.value,
            "code": outcome.code,
            "refused": outcome.refused,
        }
    )
