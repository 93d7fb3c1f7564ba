"""Compare the notices that applicants must get with those that left the vault, past the notifier. Pure."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shared.ids import Token

Delivered = AbstractSet[tuple[Token, int]]
"""Token and number of each notice that was sent or printed."""


@dataclass(frozen=True)
class IssuedNumbers:
    """Numbers of the slips that the lottery issued for one applicant."""

    token: Token
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Missing:
    """Notice that did not leave the vault: `n` of the newest slip; None for a notice from the register."""

    token: Token
    n: int | None


@dataclass(frozen=True)
class Reconciliation:
    """Counts of one campaign. `superseded`: slips that were replaced by a newer one before they left the vault.

    `same_person`: applicants who are told that another application of theirs stands. `undecided`: applicants who are
    told that a doubt was open at the draw: by card, or by telephone, which the notifier records.
    """

    issued: int
    delivered: int
    superseded: int
    rejected: int
    rejected_delivered: int
    missing: tuple[Missing, ...]
    same_person: int = 0
    same_person_delivered: int = 0
    undecided: int = 0
    undecided_delivered: int = 0
    undecided_by_telephone: int = 0


def reconcile(
    issued: Iterable[IssuedNumbers],
    delivered: Delivered,
    rejected: AbstractSet[Token],
    answered: AbstractSet[Token],
    replaced: AbstractSet[Token] = frozenset(),
) -> Reconciliation:
    """Return the counts. `rejected`: applicants without a slip; `answered`: those whose rejection left the vault.

    The newest slip of each applicant must be delivered; an older one may have been replaced, and each of those in
    `replaced`, whom a later draw left out.
    """
    of_token = {row.token: row.numbers for row in issued if row.numbers}
    arrived = {token: [n for n in numbers if (token, n) in delivered] for token, numbers in of_token.items()}
    missing = [
        Missing(token, max(numbers))
        for token, numbers in of_token.items()
        if max(numbers) not in arrived[token] and token not in replaced
    ]
    missing += [Missing(token, None) for token in sorted(rejected - answered)]
    total, reached = sum(map(len, of_token.values())), sum(map(len, arrived.values()))
    late = sum(missed.n is not None for missed in missing)
    return Reconciliation(
        total, reached, total - reached - late, len(rejected), len(rejected & answered), tuple(missing)
    )
