"""Make a card of a person and a text. Pure."""

import re

from services.vault.identities.person import Person
from services.vault.printroom.postcards import Card
from services.vault.printroom.rules import address_numbers, barcode
from shared.contracts import OutcomeSlip
from shared.ids import Receipt
from shared.postal_codes import CodeKind, PostalCode


def card_of(body: str, slip: OutcomeSlip | None, person: Person, receipt: Receipt, code: PostalCode) -> Card:
    """Return the card. Pupils are addressed with their guardians (保護者様), whose names a card need not show."""
    return Card(
        postal_code=person.postal_code if _is_postal_code(person.postal_code) else "",
        address=tuple(part for part in person.address.split(" ", 1) if part),
        name=person.name,
        guardian=person.grade is not None,
        bars=customer_bars(person.postal_code, person.address, code),
        body=body,
        pass_code=slip.pass_code if slip else None,
        passes=slip.passes if slip else (),
        receipt=receipt,
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
