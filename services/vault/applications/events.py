"""Publish verdicts on applications, in batches; each service gets only the members that it may know."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, Literal, TypeVar

from services.vault.applications.repository import StoredApplication
from services.vault.applications.rules.states import ApplicationState
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

_STATUS: Final[Mapping[ApplicationState, Literal["accepted", "held", "rejected"]]] = {
    ApplicationState.ACCEPTED: "accepted",
    ApplicationState.HELD: "held",
    ApplicationState.REJECTED: "rejected",
}


async def publish_verdicts(uow: UnitOfWork, campaign: CampaignId, applications: Sequence[StoredApplication]) -> None:
    """Publish the verdicts to intake, lottery and notifier."""
    accepted = [application for application in applications if application.state is ApplicationState.ACCEPTED]
    rejected = [application for application in applications if application.state is ApplicationState.REJECTED]
    held = [application for application in applications if application.state is ApplicationState.HELD]
    contacts = [_contact(application, application.token) for application in applications if application.token]
    for event in (
        *_batches(map(_decision, applications), lambda items: ApplicationsDecided(campaign=campaign, items=items)),
        *_batches(map(_accepted, accepted), lambda items: ApplicationsAccepted(campaign=campaign, items=items)),
        *_batches(map(_rejected, rejected), lambda items: ApplicationsRejected(campaign=campaign, items=items)),
        *_batches(map(_held, held), lambda items: ApplicationsHeld(campaign=campaign, items=items)),
        *_batches(filter(None, contacts), lambda items: ContactsRegistered(campaign=campaign, items=items)),
    ):
        await uow.emit(event)


def _batches(items: Iterable[T], make: Callable[[tuple[T, ...]], Event]) -> Iterator[Event]:
    """Yield one event for each BATCH_LIMIT items."""
    remaining = iter(items)
    while batch := tuple(islice(remaining, BATCH_LIMIT)):
        yield make(batch)


def _decision(application: StoredApplication) -> Decision:
    codes = dict.fromkeys([*application.reasons, *application.doubts, *_match_codes(application)])
    return Decision(
        application_id=application.application_id,
        status=_STATUS[application.state],
        reasons=() if application.state is ApplicationState.ACCEPTED else tuple(codes),
        revision=application.revision,
    )


def _match_codes(application: StoredApplication) -> tuple[str, ...]:
    return ("duplicate",) if application.match and application.state is ApplicationState.HELD else ()


def _accepted(application: StoredApplication) -> AcceptedApplication:
    if application.token is None:
        raise ValueError("an accepted application has a token")
    return AcceptedApplication(
        application_id=application.application_id,
        receipt=application.receipt,
        token=application.token,
        channel=application.channel,
        choices=application.choices,
        refused=application.refused,
        revision=application.revision,
    )


def _rejected(application: StoredApplication) -> RejectedApplication:
    return RejectedApplication(
        application_id=application.application_id,
        receipt=application.receipt,
        token=application.token,
        channel=application.channel,
        reasons=application.reasons,
        revision=application.revision,
    )


def _held(application: StoredApplication) -> HeldApplication:
    return HeldApplication(
        application_id=application.application_id,
        receipt=application.receipt,
        token=application.token,
        channel=application.channel,
        revision=application.revision,
    )


def _contact(application: StoredApplication, token: Token) -> Contact | None:
    """Return the contact once the application's own content is decided; None while a doubt about it is open.

    A possible duplicate is acknowledged like any other application: its silence would tell that the person has
    applied before (`docs/protocols.md` §1).
    """
    if application.contact is None:
        raise ValueError("an application of a person has a contact")
    if application.state is ApplicationState.HELD and application.doubts:
        return None
    return Contact(
        receipt=application.receipt,
        token=token,
        contact=application.contact,
        mail_domain_class=application.mail_domain_class,
        status="rejected" if application.state is ApplicationState.REJECTED else "complete",
        revision=application.revision,
    )
