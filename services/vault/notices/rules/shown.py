"""Table of what each notice may show, by source of the kind and by form. Pure.

The code leaves the vault on a sealed card alone, and only for an application by paper: other applicants noted it when
they applied (`docs/protocols.md` §0). An open postcard is read by anybody on its way.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from services.vault.notices.rules.kinds import Source

Form: TypeAlias = Literal["mail", "open", "sealed"]
"""Mail, open postcard or sealed card (`post` of the campaign file)."""

Item: TypeAlias = Literal["name", "receipt", "version", "classes", "passes", "entry-number", "code"]

_SLIP: Final[frozenset[Item]] = frozenset({"name", "receipt", "classes"})
_REGISTER: Final[frozenset[Item]] = frozenset({"name", "receipt", "version", "classes"})
_SEALED: Final[frozenset[Item]] = frozenset({"entry-number", "code"})

SHOWN: Final[Mapping[tuple[Source, Form], frozenset[Item]]] = {
    ("slip", "mail"): _SLIP | {"passes"},
    ("slip", "open"): _SLIP,
    ("slip", "sealed"): _SLIP | _SEALED | {"passes"},
    ("register", "mail"): _REGISTER,
    ("register", "open"): _REGISTER,
    ("register", "sealed"): _REGISTER | _SEALED,
    ("campaign", "mail"): frozenset(),
    ("campaign", "open"): frozenset(),
    ("campaign", "sealed"): frozenset(),
}
"""An announcement shows nothing of one person in its text."""
