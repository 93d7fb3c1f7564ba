"""Checking a transcript with nothing but the file: every signature, hash and place is computed again.

Whose key signed is the one thing a file cannot prove about itself: give the published key to have it compared.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.lottery.entries import Entry
from services.lottery.manifest import Manifest
from services.lottery.plain_allocation import PlainAllocation, allocate_plainly
from services.lottery.randomness import BadRandomness, Randomness, check_beacon, check_dice, draw_key
from services.lottery.rows import BadRows, read_rows, root_of
from services.lottery.transcript import history_holds
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


def verify_file(path: Path, public_key: str | None = None) -> Report:
    """Check the transcript in `path`. OSError where it cannot be read; anything else is a failed check."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError:
        return Report((Check("file", False, "the file is not JSON in UTF-8"),), pinned=public_key is not None)
    return verify_transcript(content, public_key)


def verify_transcript(content: Any, public_key: str | None = None) -> Report:
    checks: list[Check] = []
    try:
        checks.extend(_checks(content, public_key))
    except (KeyError, TypeError, ValueError, AttributeError, BadRandomness) as error:
        checks.append(
            Check("form", False, f"the transcript cannot be read on from here: {type(error).__name__}: {error}")
        )
    return Report(tuple(checks), pinned=public_key is not None)


def _checks(content: Mapping[str, Any], public_key: str | None) -> Iterator[Check]:
    signing_key = public_key or content["signing_key"]
    if public_key is not None:
        same = content["signing_key"] == public_key
        yield Check("signing key", same, "the file names the published key" if same else "the file names another key")
    unsigned = {name: value for name, value in content.items() if name != "signature_of_result"}
    yield _check("signature of the manifest", verify(signing_key, content["manifest"].encode(), content["signature"]))
    yield _check("signature of the result", verify(signing_key, canonical(unsigned), content["signature_of_result"]))
    manifest = Manifest.read(content["manifest"])
    entries = _entries(content["rows"])
    yield from _list_checks(manifest, entries, content["rows"])
    randomness = Randomness(content["dice"], content["beacon_signature"])
    yield from _randomness_checks(manifest, randomness, content["witnesses"])
    key = draw_key(manifest.line, randomness)
    yield _check("key", key.hex() == content["key"], "K follows from the manifest and the randomness")
    yield from _result_checks(content, allocate_plainly(key, entries, manifest.classes, manifest.rules), manifest)
    yield _check(
        "history", _history_fits(content["history"], manifest), "frozen, then drawn; each holds the hash before"
    )


def _history_fits(history: list[dict[str, Any]], manifest: Manifest) -> bool:
    """A chain that begins with this manifest's freeze and the draw."""
    begins = [event["event"] for event in history[:2]] == ["frozen", "drawn"]
    return begins and history[0]["at"] == manifest.frozen_at.isoformat() and history_holds(history)


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
                str(randomness.dice),
                str(randomness.dice),
                witnesses,
                needed=manifest.dice_digits or 0,
                witnesses_needed=manifest.witnesses,
            ),
        )
    if manifest.beacon is None:
        yield _check("beacon", randomness.beacon_signature is None, "this draw uses no beacon")
    else:
        beacon = manifest.beacon
        ahead = quicknet.time_of(beacon.round) > manifest.frozen_at
        yield _check("beacon's time", ahead, "the round came after the list was frozen" if ahead else "it was known")
        yield _passes(
            "beacon",
            f"the signature of round {beacon.round} is the beacon's",
            lambda: check_beacon(str(randomness.beacon_signature), beacon),
        )


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
