"""Checks of a transcript from the file alone: every signature, hash and place is computed again.

A file cannot prove the owner of its key: pass the published key to have it compared.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from services.lottery.allocation.entries import Entry
from services.lottery.allocation.reference_allocator import ReferenceAllocation, allocate_entry_by_entry
from services.lottery.promotion.history import read_place_events
from services.lottery.promotion.replay import replay_history
from services.lottery.promotion.waiting_list import InvalidMoveError
from services.lottery.randomness.sources import InvalidRandomnessError, Randomness, draw_key
from services.lottery.record.manifest import Manifest
from services.lottery.record.rows import InvalidRowsError, compute_root, read_rows
from services.lottery.record.taken_over import read_places
from services.lottery.record.transcript import FURTHER_MEMBERS, MEMBERS, ROWS_FILE, VERSION, is_hash_chain
from services.lottery.verification.check import Check, Keys
from services.lottery.verification.further_checks import (
    held_by_listed,
    is_further_round,
    taken_over_checks,
)
from services.lottery.verification.randomness_checks import check_randomness
from shared.canonical import canonical
from shared.signing import verify


@dataclass(frozen=True)
class Report:
    """Results of all checks. `pinned`: True if the signing key was compared with a published one."""

    checks: tuple[Check, ...]
    pinned: bool

    @property
    def passed(self) -> bool:
        return bool(self.checks) and all(check.passed for check in self.checks)


def verify_file(path: Path, keys: Keys | None = None, rows: Path | None = None, vault_key: str | None = None) -> Report:
    """Check the transcript in `path`; its rows are in `rows`, beside it, or in itself.

    Raises OSError if a file cannot be read; any other fault is a failed check.
    """
    try:
        content = read_transcript(path, rows)
    except ValueError:
        return Report((Check("file", False, "the file is not JSON in UTF-8"),), pinned=keys is not None)
    return verify_transcript(content, keys, vault_key)


def read_transcript(path: Path, rows: Path | None = None) -> Any:
    """Read a transcript and its rows if they are present. Raises ValueError if it is not JSON."""
    content, beside = json.loads(path.read_text("utf-8")), path.with_name(ROWS_FILE)
    if rows is None and isinstance(content, dict) and content.get("rows") == ROWS_FILE and beside.exists():
        rows = beside
    return (
        content
        if rows is None or not isinstance(content, dict)
        else WithRows(content, rows.read_bytes().decode("utf-8"))
    )


class WithRows(dict[str, Any]):
    """Transcript with separate rows. The signature covers the name of the rows file, not its content."""

    def __init__(self, content: Mapping[str, Any], rows: str) -> None:
        super().__init__(content)
        self.file = rows


def get_rows(content: Mapping[str, Any]) -> Any:
    """Return the rows. Raises ValueError if they are in a file that was not given."""
    rows = content.file if isinstance(content, WithRows) else content["rows"]
    if rows == ROWS_FILE:
        raise ValueError(
            "the rows are in a separate file: fetch it (…/rows) as rows.txt beside the transcript, or name it"
        )
    return rows


def verify_transcript(content: Any, keys: Keys | None = None, vault_key: str | None = None) -> Report:
    """Check a transcript. The published keys of lottery and vault are compared with those that it names.

    `keys`: of the lottery, all that were not revoked; a retired key holds for what it signed.
    """
    return Report(tuple(checks(content, keys, vault_key)), pinned=keys is not None)


def checks(content: Any, keys: Keys | None = None, vault_key: str | None = None) -> Iterator[Check]:
    """Yield each check, so that a caller may stop at the first failure."""
    try:
        yield from _checks(content, keys, vault_key)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidRandomnessError) as error:
        text = f"the transcript cannot be read further: {type(error).__name__}: {error}"
        yield Check("form", False, text)


def derive_key(content: Mapping[str, Any]) -> bytes:
    """Compute K from the manifest and the randomness."""
    return draw_key(content["manifest"], Randomness(content["dice"], content["beacon_signature"]))


def _checks(content: Mapping[str, Any], keys: Keys | None, vault_key: str | None) -> Iterator[Check]:
    if content["v"] != VERSION:
        raise ValueError("this transcript is of a version that this program does not know")
    if set(content) != (FURTHER_MEMBERS if is_further_round(content) else MEMBERS):
        raise ValueError("a transcript has all its members and no others")
    signing_key = content["signing_key"]
    if keys is not None:
        known = signing_key in keys
        yield Check("signing key", known, _said_of_key(keys, known=known))
        signing_key = signing_key if known else next(iter(keys), signing_key)
    unsigned = {name: value for name, value in content.items() if name != "signature_of_result"}
    yield _check("signature of the manifest", verify(signing_key, content["manifest"].encode(), content["signature"]))
    yield _check("signature of the result", verify(signing_key, canonical(unsigned), content["signature_of_result"]))
    manifest, rows = Manifest.read(content["manifest"]), get_rows(content)
    entries = _entries(rows)
    yield from _list_checks(manifest, entries, rows)
    places = [] if manifest.further is None else read_places(content["places"])
    if manifest.further is not None:
        yield from taken_over_checks(manifest, content["places"], entries)
    yield from check_randomness(manifest, content, vault_key)
    key = derive_key(content)
    yield _check("key", key.hex() == content["key"], "K follows from the manifest and the randomness")
    yield from _result_checks(
        content,
        allocate_entry_by_entry(
            key, entries, manifest.drawn_classes, manifest.rules, held=held_by_listed(entries, places)
        ),
        manifest,
    )
    yield _check(
        "history",
        _history_fits(content["history"], manifest),
        "frozen, drawn after the end of objections, then places only; each event has the hash of the one before",
    )
    yield _places_check(content, manifest, entries, key)


def _said_of_key(keys: Keys, *, known: bool) -> str:
    if known:
        return "the file names a published key"
    if not keys:
        return "no key is published that is not revoked: nobody vouches for this draw; ask the office"
    return "the file names another key"


def _history_fits(history: Sequence[Mapping[str, Any]], manifest: Manifest) -> bool:
    """Return True if the history is a hash chain: this manifest's freeze, the draw, then events of places only."""
    opening, events = history[:2], read_place_events(history)
    if [event["event"] for event in opening] != ["frozen", "drawn"] or len(events) != len(history) - len(opening):
        return False
    drawn = datetime.fromisoformat(history[1]["at"])
    # Events are written to the second.
    in_time = manifest.objections_until <= drawn and all(drawn.replace(microsecond=0) <= event.at for event in events)
    return in_time and history[0]["at"] == manifest.frozen_at.isoformat() and is_hash_chain(history)


def _places_check(content: Mapping[str, Any], manifest: Manifest, entries: list[Entry], key: bytes) -> Check:
    try:
        replay_history(content, manifest, entries, key)
    except InvalidMoveError as error:
        return Check("places after the draw", False, str(error))
    count = len(read_place_events(content["history"]))
    return Check("places after the draw", True, f"{count} events, each allowed by the rules and in its turn")


def _check(name: str, passed: bool, text: str = "") -> Check:  # noqa: FBT001  (the result of the check)
    return Check(name, passed, text or ("it holds" if passed else "it does not hold"))


def _entries(rows: str) -> list[Entry]:
    try:
        return read_rows(rows)
    except InvalidRowsError as error:
        raise ValueError(f"rows: {error}") from None


def _list_checks(manifest: Manifest, entries: list[Entry], rows: str) -> Iterator[Check]:
    yield _check(
        "number of rows", len(entries) == manifest.rows, f"{len(entries)} rows, the manifest says {manifest.rows}"
    )
    yield _check(
        "root of the rows", compute_root(rows) == manifest.root, "the Merkle root of the rows is the manifest's"
    )
    counted = Counter(name for entry in entries for name, _ in entry.choices)
    agree = dict(counted) == manifest.class_counts and sum(manifest.channel_counts.values()) == len(entries)
    yield _check("counts", agree, "entries by class, and by channel in sum, are as the manifest says")
    fits = len(entries) <= manifest.receipts.count
    yield _check("receipts", fits, f"{manifest.receipts.count} receipts for {len(entries)} entries, each with its own")


def _result_checks(content: Mapping[str, Any], computed: ReferenceAllocation, manifest: Manifest) -> Iterator[Check]:
    for name, expected in (("winners", computed.winners), ("waiting", computed.waiting)):
        written = {class_id: [entry.hex() for entry in ids] for class_id, ids in expected.items()}
        total = sum(len(ids) for ids in written.values())
        yield _check(
            name, content[name] == written, f"{total} places computed again in {len(manifest.classes)} classes"
        )
