"""Publish verdicts on applications, in batches; each service gets only the members that it may know."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, Literal, TypeVar

from services.vault.applications.rules.states import ApplicationState
from services.vault.applications.stored import StoredApplication
from shared.codes import EntryId, ProofDigest
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
from shared.ids import CampaignId, Token
from shared.storage import UnitOfWork

T = TypeVar("T")

_VERDICTS: Final[Mapping[ApplicationState, Literal["rejected", "withdrawn", "superseded"]]] = {
    ApplicationState.REJECTED: "rejected",
    ApplicationState.WITHDRAWN: "withdrawn",
    ApplicationState.SUPERSEDED: "superseded",
}

VERSION_REFUSED: Final = "version-refused"
"""Reason beside a status: the last version did not carry the applicant's code, so the content before it stands."""


async def publish_verdicts(uow: UnitOfWork, campaign: CampaignId, applications: Sequence[StoredApplication]) -> None:
    """Publish the verdicts to intake, lottery and notifier."""
    accepted = [application for application in applications if application.state is ApplicationState.ACCEPTED]
    rejected = [application for application in applications if application.state in _VERDICTS]
    held = [application for application in applications if application.state is ApplicationState.HELD]
    for event in (
        *_batches(map(_decision, applications), lambda items: ApplicationsDecided(campaign=campaign, items=items)),
        *_batches(map(_accepted, accepted), lambda items: ApplicationsAccepted(campaign=campaign, items=items)),
        *_batches(map(_rejected, rejected), lambda items: ApplicationsRejected(campaign=campaign, items=items)),
        *_batches(map(_held, held), lambda items: ApplicationsHeld(campaign=campaign, items=items)),
    ):
        await uow.emit(event)
    await publish_contacts(uow, campaign, applications)


async def publish_contacts(uow: UnitOfWork, campaign: CampaignId, applications: Sequence[StoredApplication]) -> None:
    """Publish the contacts of applications to the notifier, without a verdict."""
    contacts = [_contact(application, application.token) for application in applications if application.token]
    for event in _batches(filter(None, contacts), lambda items: ContactsRegistered(campaign=campaign, items=items)):
        await uow.emit(event)


async def publish_left_out(
    uow: UnitOfWork,
    campaign: CampaignId,
    notified: Iterable[
        tuple[StoredApplication, Literal["same-person", "undecided"], Literal["mail", "post", "telephone"]]
    ],
    left_out_of: int | None,
) -> None:
    """Publish after the draw who is told that the own application was not in it, why, and by which way.

    `left_out_of`: number of the draw's result slips; None where it is not known.
    """
    contacts = (
        Contact(
            receipt=application.receipt,
            token=_entry_of(application)[0],
            contact=contact,
            mail_domain_class=application.mail_domain_class,
            status=status,
            left_out_of=left_out_of,
            version=application.content_version,
            revision=application.revision + 1,
        )
        for application, status, contact in notified
    )
    for event in _batches(contacts, lambda items: ContactsRegistered(campaign=campaign, items=items)):
        await uow.emit(event)


def _batches(items: Iterable[T], make: Callable[[tuple[T, ...]], Event]) -> Iterator[Event]:
    """Yield one event for each BATCH_LIMIT items."""
    remaining = iter(items)
    while batch := tuple(islice(remaining, BATCH_LIMIT)):
        yield make(batch)


def _decision(application: StoredApplication) -> Decision:
    status = application.own_status
    own = {"under-review": application.doubts, "rejected": application.reasons}.get(status, ())
    refused = (VERSION_REFUSED,) if application.version > application.content_version else ()
    return Decision(
        application_id=application.application_id,
        receipt=application.receipt,
        version=application.version,
        status=status,
        reasons=(*own, *refused),
        revision=application.revision,
    )


def _accepted(application: StoredApplication) -> AcceptedApplication:
    token, entry, proof_sha256 = _entry_of(application)
    return AcceptedApplication(
        receipt=application.receipt,
        version=application.version,
        entry=entry,
        proof_sha256=proof_sha256,
        token=token,
        channel=application.channel,
        choices=application.choices,
        eligible=application.eligible,
        refused=application.refused,
        revision=application.revision,
    )


def _rejected(application: StoredApplication) -> RejectedApplication:
    return RejectedApplication(
        receipt=application.receipt,
        version=application.version,
        verdict=_VERDICTS[application.state],
        entry=application.entry,
        proof_sha256=application.proof_sha256,
        token=application.token,
        channel=application.channel,
        reasons=application.reasons,
        revision=application.revision,
    )


def _held(application: StoredApplication) -> HeldApplication:
    token, entry, proof_sha256 = _entry_of(application)
    return HeldApplication(
        receipt=application.receipt,
        version=application.version,
        entry=entry,
        proof_sha256=proof_sha256,
        token=token,
        channel=application.channel,
        revision=application.revision,
    )


def _entry_of(application: StoredApplication) -> tuple[Token, EntryId, ProofDigest]:
    """Return what each application of a person has. Raises ValueError where one is missing."""
    if application.token is None or application.entry is None or application.proof_sha256 is None:
        raise ValueError("an application of a person has a token and an entry")
    return application.token, application.entry, application.proof_sha256


def _contact(application: StoredApplication, token: Token) -> Contact | None:
    """Return the contact once the application's own content is decided; None while a doubt about it is open.

    A possible duplicate and a copy are acknowledged like any other application: their silence would tell that the
    person has applied before (`docs/protocols.md` §1). A withdrawal is confirmed as an application that is not in the
    draw.
    """
    if application.contact is None:
        raise ValueError("an application of a person has a contact")
    if application.own_status == "under-review":
        return None
    return Contact(
        receipt=application.receipt,
        token=token,
        contact=application.contact,
        mail_domain_class=application.mail_domain_class,
        status="complete" if application.own_status == "complete" else "rejected",
        version=application.content_version,
        revision=application.revision,
    )
