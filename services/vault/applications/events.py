"""What the vault says about applications, in batches, to each service only what it may know."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from services.vault.applications.repository import choices_of, refused_of
from shared.contracts import (
    BATCH_LIMIT,
    AcceptedApplication,
    ApplicationsAccepted,
    ApplicationsDecided,
    ApplicationsHeld,
    ApplicationsRejected,
    Contact,
    ContactsRegistered,
    Decision,
    Event,
    HeldApplication,
    RejectedApplication,
)
from shared.ids import CampaignId
from shared.storage import UnitOfWork

T = TypeVar("T")
Document = Mapping[str, Any]


async def publish_verdicts(uow: UnitOfWork, campaign: CampaignId, documents: Sequence[Document]) -> None:
    """Say the verdicts of `documents` (of the register) to intake, lottery and notifier."""
    by_state = {state: [d for d in documents if d["state"] == state] for state in ("accepted", "rejected", "held")}
    told = [d for d in documents if d["token"] is not None and d["state"] != "held"]
    for event in (
        *_batched(documents, lambda part: ApplicationsDecided(campaign=campaign, items=_each(_decision, part))),
        *_batched(
            by_state["accepted"], lambda part: ApplicationsAccepted(campaign=campaign, items=_each(_accepted, part))
        ),
        *_batched(
            by_state["rejected"], lambda part: ApplicationsRejected(campaign=campaign, items=_each(_rejected, part))
        ),
        *_batched(by_state["held"], lambda part: ApplicationsHeld(campaign=campaign, items=_each(_held, part))),
        *_batched(told, lambda part: ContactsRegistered(campaign=campaign, items=_each(_contact, part))),
    ):
        await uow.emit(event)


def _batched(documents: Iterable[Document], make: Callable[[list[Document]], Event]) -> Iterator[Event]:
    remaining = iter(documents)
    while part := list(islice(remaining, BATCH_LIMIT)):
        yield make(part)


def _each(make: Callable[[Document], T], documents: list[Document]) -> tuple[T, ...]:
    return tuple(make(document) for document in documents)


def _decision(document: Document) -> Decision:
    codes = dict.fromkeys([*document["reasons"], *document["doubts"], *_match_codes(document)])
    return Decision(
        application_id=document["_id"],
        status=document["state"],
        reasons=tuple(codes) if document["state"] != "accepted" else (),
        revision=document["revision"],
    )


def _match_codes(document: Document) -> tuple[str, ...]:
    return ("duplicate",) if document["match"] and document["state"] == "held" else ()


def _accepted(document: Document) -> AcceptedApplication:
    return AcceptedApplication(
        application_id=document["_id"],
        receipt=document["receipt"],
        token=document["token"],
        channel=document["channel"],
        choices=choices_of(document),
        refused=refused_of(document),
        revision=document["revision"],
    )


def _rejected(document: Document) -> RejectedApplication:
    return RejectedApplication(
        application_id=document["_id"],
        channel=document["channel"],
        reasons=tuple(document["reasons"]),
        revision=document["revision"],
    )


def _held(document: Document) -> HeldApplication:
    return HeldApplication(application_id=document["_id"], channel=document["channel"], revision=document["revision"])


def _contact(document: Document) -> Contact:
    return Contact(
        application_id=document["_id"],
        receipt=document["receipt"],
        token=document["token"],
        contact=document["contact"],
        mail_domain_class=document["mail_domain_class"],
        status=document["state"],
        reasons=tuple(document["reasons"]),
        refused=refused_of(document),
    )
