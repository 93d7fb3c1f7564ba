"""Wiring of the pages and endpoints of people for the vault's `app.py`."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from services.vault.people.endpoints import people_router
from services.vault.people.pages.context import Web
from services.vault.people.pages.site import body_limits, pages_router
from services.vault.people.parts import People
from shared.signing import SigningKey
from shared.web import BodyLimit
from shared.web.staff_token import Guard


def people_routers(
    people: People, origins: Mapping[str, str], signing: SigningKey, guard: Guard
) -> tuple[Sequence[APIRouter], Sequence[BodyLimit]]:
    """Return the routers and the limits of their bodies; without KUJI_ORIGINS there are no pages.

    Raises ConfigurationError where the vault would share its host name with another service.
    """
    if not origins:
        return [people_router(people, guard)], ()
    web = Web.make(people, origins, signing)
    return [people_router(people, guard), pages_router(web)], body_limits(web)
