"""Checking a transcript with nothing but the file: every signature, hash and place is computed again.

Whose key signed is the one thing a file cannot prove about itself: give the published key to have it compared.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from services.lottery.allocation.entries import Entry
from services.lottery.allocation.reference_allocator import PlainAllocation, allocate_plainly
from services.lottery.promotion.history import steps_of
from services.lottery.promotion.replay import replayed
from services.lottery.promotion.waiting_list import BadMove
from services.lottery.randomness.sources import BadRandomness, Randomness, check_beacon, check_dice, draw_key
from services.lottery.record.manifest import Manifest
from services.lottery.record.rows import BadRows, read_rows, root_of
from services.lottery.record.transcript import MEMBERS, ROWS_FILE, history_holds
from shared.campaign import quicknet
from shared.canonical import canonical
from shared.signing import verify


@dataclass(frozen=True)
class Check:
    """One thing that was checked; `text` says it in plain words, or what is wrong."""

    name: str
    passed: bool
    text: str


@dataclass(frozen=True)
class Report:
    """All checks. `pinned`: the signing key was compared with one that the reader brought along."""

    checks: tuple[Check, ...]
    pinned: bool

    @property
    def passed(self) -> bool:
        return bool(self.checks) and all(check.passed for check in self.checks)


def verify_file(path: Path, public_key: str | None = None, rows: Path | None = None) -> Report:
    """Check the transcript in `path`; its rows are in `rows`, beside it, or in itself.

    OSError where a file cannot be read; anything else is a failed check.
    """
    try:
        content = read_transcript(path, rows)
    except ValueError:
        return Report((Check("file", False, "the file is not JSON in UTF-8"),), pinned=public_key is not None)
    return verify_transcript(content, public_key)


def read_transcript(path: Path, rows: Path | None = None) -> Any:
    """The file, with its rows, where they are there. ValueError where it is not JSON."""
    content, beside = json.loads(path.read_text("utf-8")), path.with_name(ROWS_FILE)
    if rows is None and isinstance(content, dict) and content.get("rows") == ROWS_FILE and beside.exists():
        rows = beside
    return (
        content
        if rows is None or not isinstance(content, dict)
        else WithRows(content, rows.read_bytes().decode("utf-8"))
    )


class WithRows(dict[str, Any]):
    """A transcript whose rows are a file of their own: that name is what was signed, not what is in the file."""

    def __init__(self, content: Mapping[str, Any], rows: str) -> None:
        super().__init__(content)
        self.file = rows


def rows_of(content: Mapping[str, Any]) -> Any:
    """The rows themselves. ValueError where they are elsewhere."""
    rows = content.file if isinstance(content, WithRows) else content["rows"]
    if rows == ROWS_FILE:
        raise ValueError(
            "the rows are in a file of their own: fetch it (…/rows) as rows.txt beside the transcript, or name it"
        )
    return rows


def verify_transcript(content: Any, public_key: str | None = None) -> Report:
    return Report(tuple(checks(content, public_key)), pinned=public_key is not None)


def checks(content: Any, public_key: str | None = None) -> Iterator[Check]:
    """One after the other, so that who only wants to know whether all hold may stop at the first that does not."""
    try:
        yield from _checks(content, public_key)
    except (KeyError, TypeError, ValueError, AttributeError, BadRandomness) as error:
        text = f"the transcript cannot be read on from here: {type(error).__name__}: {error}"
        yield Check("form", False, text)


def key_of(content: Mapping[str, Any]) -> bytes:
    """K, computed from the manifest and the randomness."""
    return draw_key(content["manifest"], Randomness(content["dice"], content["beacon_signature"]))


def _checks(content: Mapping[str, Any], public_key: str | None) -> Iterator[Check]:
    if content["v"] != 1:
        raise ValueError("this transcript is of a version that this program does not know")
    if set(content) != MEMBERS:
        raise ValueError("a transcript has all its members, and no others")
    signing_key = public_key or content["signing_key"]
    if public_key is not None:
        same = content["signing_key"] == public_key
        yield Check("signing key", same, "the file names the published key" if same else "the file names another key")
    unsigned = {name: value for name, value in content.items() if name != "signature_of_result"}
    yield _check("signature of the manifest", verify(signing_key, content["manifest"].encode(), content["signature"]))
    yield _check("signature of the result", verify(signing_key, canonical(unsigned), content["signature_of_result"]))
    manifest, rows = Manifest.read(content["manifest"]), rows_of(content)
    entries = _entries(rows)
    yield from _list_checks(manifest, entries, rows)
    yield from _randomness_checks(
        manifest, Randomness(content["dice"], content["beacon_signature"]), content["witnesses"]
    )
    key = key_of(content)
    yield _check("key", key.hex() == content["key"], "K follows from the manifest and the randomness")
    yield from _result_checks(content, allocate_plainly(key, entries, manifest.classes, manifest.rules), manifest)
    yield _check(
        "history",
        _history_fits(content["history"], manifest),
        "frozen, drawn once objections were heard, then places only; each holds the hash before",
    )
    yield _places_check(content, manifest, entries, key)


def _history_fits(history: list[dict[str, Any]], manifest: Manifest) -> bool:
    """A chain that begins with this manifest's freeze and the draw, and goes on with places and nothing else."""
    opening, steps = history[:2], steps_of(history)
    if [event["event"] for event in opening] != ["frozen", "drawn"] or len(steps) != len(history) - len(opening):
        return False
    drawn = datetime.fromisoformat(history[1]["at"])
    # Steps are written to the second.
    in_time = manifest.objections_until <= drawn and all(drawn.replace(microsecond=0) <= step.at for step in steps)
    return in_time and history[0]["at"] == manifest.frozen_at.isoformat() and history_holds(history)


def _places_check(content: Mapping[str, Any], manifest: Manifest, entries: list[Entry], key: bytes) -> Check:
    try:
        replayed(content, manifest, entries, key)
    except BadMove as error:
        return Check("places after the draw", False, str(error))
    steps = len(steps_of(content["history"]))
    return Check("places after the draw", True, f"{steps} steps, each as the rules allow and in its turn")


def _check(name: str, passed: bool, text: str = "") -> Check:  # noqa: FBT001  (the verdict itself)
    return Check(name, passed, text or ("it holds" if passed else "it does not hold"))


def _entries(rows: str) -> list[Entry]:
    try:
        return read_rows(rows)
    except BadRows as error:
        raise ValueError(f"rows: {error}") from None


def _list_checks(manifest: Manifest, entries: list[Entry], rows: str) -> Iterator[Check]:
    yield _check(
        "number of rows", len(entries) == manifest.rows, f"{len(entries)} rows, the manifest says {manifest.rows}"
    )
    yield _check("root of the rows", root_of(rows) == manifest.root, "the Merkle root of the rows is the manifest's")
    counted = Counter(name for entry in entries for name, _ in entry.choices)
    agree = dict(counted) == manifest.class_counts and sum(manifest.channel_counts.values()) == len(entries)
    yield _check("counts", agree, "entries by class, and by channel in sum, are as the manifest says")


def _randomness_checks(manifest: Manifest, randomness: Randomness, witnesses: list[str]) -> Iterator[Check]:
    if manifest.dice_digits is None:
        yield _check("dice", randomness.dice is None, "this draw uses no dice")
    else:
        yield _passes(
            "dice",
            f"{manifest.dice_digits} digits before {len(witnesses)} witnesses",
            lambda: check_dice(
                _text(randomness.dice),
                _text(randomness.dice),
                witnesses,
                needed=manifest.dice_digits or 0,
                witnesses_needed=manifest.witnesses,
            ),
        )
    if manifest.beacon is None:
        yield _check("beacon", randomness.beacon_signature is None, "this draw uses no beacon")
    else:
        beacon = manifest.beacon
        ahead = quicknet.time_of(beacon.round) > max(manifest.frozen_at, manifest.objections_until)
        text = "the round came after the list was frozen and objections were heard" if ahead else "it was known before"
        yield _check("beacon's time", ahead, text)
        yield _passes(
            "beacon",
            f"the signature of round {beacon.round} is the beacon's",
            lambda: check_beacon(_text(randomness.beacon_signature), beacon),
        )


def _text(value: object) -> str:
    """A number is not the digits that were read out, even where it looks like them."""
    return value if isinstance(value, str) else ""


def _passes(name: str, text: str, check: Callable[[], object]) -> Check:
    try:
        check()
    except BadRandomness as error:
        return Check(name, False, str(error))
    return Check(name, True, text)


def _result_checks(content: Mapping[str, Any], computed: PlainAllocation, manifest: Manifest) -> Iterator[Check]:
    for name, ours in (("winners", computed.winners), ("waiting", computed.waiting)):
        written = {each: [ident.hex() for ident in ids] for each, ids in ours.items()}
        total = sum(len(ids) for ids in written.values())
        yield _check(
            name, content[name] == written, f"{total} places computed again over {len(manifest.classes)} classes"
        )
