"""Make a card of a person and a text. Pure."""

import re

from services.vault.deliveries.rules.checks import RegisterEntry
from services.vault.identities.reveal import Revealed
from services.vault.notices.rules.shown import Item
from services.vault.printroom.postcards import Card
from services.vault.printroom.rules import address_numbers, barcode
from shared.codes import entry_number, format_code
from shared.contracts import OutcomeSlip
from shared.postal_codes import CodeKind, PostalCode


def card_of(
    body: str, slip: OutcomeSlip | None, known: Revealed, entry: RegisterEntry, code: PostalCode, shown: frozenset[Item]
) -> Card:
    """Return the card with what it may show (`SHOWN`).

    Pupils are addressed with their guardians (保護者様), whose names a card need not show. Only who applied by paper
    gets the code: no other way brings it to that person.
    """
    person = known.person
    return Card(
        postal_code=person.postal_code if _is_postal_code(person.postal_code) else "",
        address=tuple(part for part in person.address.split(" ", 1) if part),
        name=person.name,
        guardian=person.grade is not None,
        bars=customer_bars(person.postal_code, person.address, code),
        body=body,
        code=format_code(known.code) if "code" in shown and entry.is_paper else None,
        entry_number=entry_number(entry.entry) if "entry-number" in shown and entry.entry else None,
        passes=slip.passes if slip and "passes" in shown else (),
        receipt=known.receipt,
    )


def customer_bars(postal_code: str, address: str, code: PostalCode) -> str | None:
    """Return the customer barcode; None if Japan Post wants none or the address holds no number."""
    if code.kind is CodeKind.OFFICE:
        return barcode.bars(postal_code, "")
    if code.kind is not CodeKind.TOWN:
        return None
    numbers = address_numbers.extract(address_numbers.after_town(address, code.city, code.town_names))
    return barcode.bars(postal_code, numbers) if any(character.isdigit() for character in numbers) else None


def _is_postal_code(text: str) -> bool:
    return re.fullmatch(r"[0-9]{7}", text) is not None
