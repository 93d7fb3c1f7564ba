"""Make a card of an order by token and a person. Pure."""

import re
from typing import Final

from services.vault.identities.person import Person
from services.vault.printroom.postcards import Card
from services.vault.printroom.rules import address_numbers, barcode
from shared.contracts import CardOrder
from shared.errors import KujiError
from shared.ids import Receipt
from shared.postal_codes import CodeKind, PostalCode

_NAME: Final = "{{kuji:name}}"
_OTHER_PLACEHOLDER: Final = re.compile(r"\{\{kuji:(?!name\}\})")


class NotPrintableError(KujiError):
    """Raised when an order makes no card; `reason` is the code that the notifier gets."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def card_of(order: CardOrder, person: Person, receipt: Receipt, code: PostalCode) -> Card:
    """Return the card. Pupils are addressed together with their guardians (保護者様), whose names a card need not show.

    Raises NotPrintableError for a placeholder that the vault does not fill.
    """
    if _OTHER_PLACEHOLDER.search(order.body):
        raise NotPrintableError("placeholder")
    return Card(
        postal_code=person.postal_code if _is_postal_code(person.postal_code) else "",
        address=tuple(part for part in person.address.split(" ", 1) if part),
        name=person.name,
        guardian=person.grade is not None,
        bars=customer_bars(person.postal_code, person.address, code),
        body=order.body.replace(_NAME, person.name),
        pass_code=order.pass_code,
        passes=order.passes,
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
