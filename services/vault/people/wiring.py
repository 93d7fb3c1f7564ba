"""Wiring of the pages and endpoints of people for the vault's `app.py`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from fastapi import APIRouter

from services.vault.mail.session import SmtpSession
from services.vault.mail.transport import mail_server
from services.vault.people.endpoints import people_router, require_setup_token
from services.vault.people.pages import TEXTS
from services.vault.people.pages.context import CountWaiting, Web
from services.vault.people.pages.operations import Operations
from services.vault.people.pages.site import body_limits, pages_router
from services.vault.people.parts import People
from services.vault.people.staff_mail_sender import StaffMailOffice, StaffMailSender
from services.vault.settings import VaultSettings
from shared.campaign import Campaign
from shared.ids import CampaignId
from shared.signing import SigningKey
from shared.web import BodyLimit
from shared.web.pages import catalogues_with

_FIRST: Final = re.compile("/v1/people/first")


def people_routers(
    people: People,
    origins: Mapping[str, str],
    signing: SigningKey,
    setup_token_file: Path | None,
    count_waiting: CountWaiting,
    operations: Operations,
) -> tuple[Sequence[APIRouter], Sequence[BodyLimit]]:
    """Return the routers and the limits of their bodies; without KUJI_ORIGINS there are no pages.

    Raises ConfigurationError where the vault would share its host name with another service.
    """
    setup = require_setup_token(setup_token_file)
    router, limit = people_router(people, setup), BodyLimit(_FIRST, admit=setup)
    if not origins:
        return [router], (limit,)
    web = Web.make(people, origins, signing, count_waiting)
    return [router, pages_router(web, operations)], (limit, *body_limits(web))


def staff_mail(people: People, settings: VaultSettings, campaigns: Mapping[CampaignId, Campaign]) -> StaffMailSender:
    """Return the sender of mails to staff. They come from the office of the first campaign, which all share."""
    server = mail_server(settings)
    office = next(iter(campaigns.values())).office
    sender = StaffMailOffice(office.name, office.mail_from, settings.origins.get("vault", ""))
    return StaffMailSender(people.mails, people.accounts, SmtpSession(server), sender, catalogues_with(TEXTS))
