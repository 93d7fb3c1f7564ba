"""Derive the contact channel and the class of the mail domain, for pacing; neither identifies the person. Pure."""

from typing import Literal

from services.vault.identities.person import Person

_CARRIERS = frozenset({"docomo", "ezweb", "au", "softbank", "gmail", "yahoo", "icloud", "outlook", "hotmail"})


def contact_channel(person: Person) -> Literal["mail", "post"]:
    return "mail" if person.email else "post"


def mail_domain_class(person: Person) -> str | None:
    """Return the large mail provider of the address, or `other`; not the domain, which may name a person."""
    if person.email is None:
        return None
    labels = person.email.rpartition("@")[2].split(".")
    return next((label for label in labels if label in _CARRIERS), "other")
