"""Stores that each service must answer for, and the rows of the certificate that follow from the answers. Pure.

A service could leave a store out of its answer; the vault therefore has a list of its own. A new store of a service is
added here, too (tests/contract/test_erasure_stores.py compares both).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shared.contracts import ErasureCompleted, StoreErasure
from shared.contracts.closing import OWN_STORES, RATE_LIMITS

OTHER_SERVICES: Final = ("intake", "lottery", "notifier")

PACKAGES: Final = "return package"
SPOOL: Final = "print spool"
SANDBOX: Final = "sandbox folder"
SAMPLES: Final = "sample decryption"
DELAY_QUEUES: Final = "delay queues"

REQUIRED_STORES: Final[Mapping[str, frozenset[str]]] = {
    "intake": frozenset(
        {"applications", "versions", "papers", "sealing_keys", "receipt_keys", RATE_LIMITS, *OWN_STORES}
    ),
    "lottery": frozenset(
        {
            "entries", "roll", "roll_parts", "outcomes", "places", "scans", "devices", "closings",
            RATE_LIMITS, *OWN_STORES,
        }
    ),
    "notifier": frozenset({"contacts", "slips", "notices", "print_batches", "announcements", *OWN_STORES}),
    "vault": frozenset(
        {
            "identities", "blind_index", "doubts", "applications", "application_acts", "subject_requests",
            "print_batches", "print_chunks", "papers", "drafts", "keyings", "paper_holds", "keying_counts",
            "seeded_papers",
            "notice_deliveries", "left_out", "published_draws", "slips", "notice_counts",
            PACKAGES, SPOOL, SANDBOX, SAMPLES, DELAY_QUEUES, *OWN_STORES,
        }
    ),
}  # fmt: skip


def answered_rows(service: str, measured: ErasureCompleted | None, *, contradicted: bool) -> list[StoreErasure]:
    """Return the rows of another service: its measured stores, UNKNOWN for each store that it left out.

    `contradicted`: it gave two different answers for one phase, which is FAIL. Without an answer all is UNKNOWN.
    """
    contradiction = [_row("answer", "FAIL", "two different answers for one phase")] if contradicted else []
    if measured is None:
        return [*contradiction, not_answered(service)]
    return [*contradiction, *complete_rows(service, measured.stores)]


def complete_rows(service: str, rows: Sequence[StoreErasure]) -> list[StoreErasure]:
    """Return the rows, each judged by its own counts, and an UNKNOWN row for each required store that is missing."""
    missing = REQUIRED_STORES[service] - {row.store for row in rows}
    return [*map(_judged_again, rows), *(_row(store, "UNKNOWN", "not answered for") for store in sorted(missing))]


def not_answered(service: str) -> StoreErasure:
    """Return the row of a service that did not answer in time."""
    return _row("all", "UNKNOWN", f"{service}: no answer")


def confirmed_tombstones(answered: Iterable[str]) -> bool:
    """Return True if every other service is among those that confirmed their tombstone."""
    return set(OTHER_SERVICES) <= set(answered)


def _judged_again(row: StoreErasure) -> StoreErasure:
    """Return the row; a PASS that its own counts do not support becomes FAIL or UNKNOWN."""
    if row.result != "PASS" or (row.after == 0 and row.residue == 0):
        return row
    left = bool(row.after or row.residue)
    return row.model_copy(update={"result": "FAIL" if left else "UNKNOWN"})


def _row(store: str, result: str, note: str) -> StoreErasure:
    return StoreErasure.model_validate(
        {"store": store, "before": None, "after": None, "residue": None, "result": result, "note": note}
    )
