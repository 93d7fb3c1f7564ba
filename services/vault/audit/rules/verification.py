"""Verify an exported audit log with nothing but the export and known keys; findings in plain words. Pure.

Nothing of the vault is asked: `./kuji audit verify` runs offline, on a machine of the ward (`docs/protocols.md` §6).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.canonical import canonical
from shared.merkle import leaf_hash
from shared.tlog import Checkpoint, Frontier, Note, NoteError, NoteKey, read_checkpoint, read_cosignature


@dataclass(frozen=True)
class LogCheck:
    """One check. `text` says in plain words what was found."""

    name: str
    passed: bool
    text: str


@dataclass(frozen=True)
class ExportedLog:
    """Content of an export. `known`: further checkpoints of this log, as the ward or the witness kept them."""

    lines: Sequence[str]
    checkpoint: str
    log_key: NoteKey
    witness_key: NoteKey | None = None
    known: Sequence[str] = ()


def verify_log(log: ExportedLog) -> list[LogCheck]:
    """Return all checks; the log holds if each has passed."""
    numbers = check_numbers(log.lines)
    checks = [numbers]
    try:
        last = _read(log.checkpoint, log.log_key)
    except NoteError as error:
        return [*checks, LogCheck("checkpoint", False, f"{error}")]
    checks.append(LogCheck("checkpoint", True, f"the vault signed {last.size} lines of {last.origin}"))
    roots = _roots(log.lines, {last.size, *_sizes(log)})
    checks.append(_compare("lines", last, len(log.lines), roots))
    checks.extend(_check_known(log, roots))
    checks.append(_check_witness(log))
    if not all(check.passed for check in checks):
        return checks
    beyond = len(log.lines) - last.size
    return [*checks, LogCheck("end", True, f"{beyond} lines came after the checkpoint and are not covered yet")]


def check_numbers(lines: Sequence[str]) -> LogCheck:
    """Check that the lines are canonical, and numbered from 1 without a gap."""
    for place, line in enumerate(lines, 1):
        try:
            content = json.loads(line)
            seq, is_canonical = content["seq"], canonical(content) == line.encode("utf-8")
        except (ValueError, TypeError, KeyError):
            return LogCheck("numbers", False, f"line {place} is no line of an audit log")
        if not is_canonical:
            return LogCheck("numbers", False, f"line {place} was edited: it is not in the form in which it was written")
        if seq != place:
            return LogCheck("numbers", False, _describe_number(seq, place, lines))
    return LogCheck("numbers", True, f"{len(lines)} lines, numbered without a gap")


def _describe_number(seq: object, place: int, lines: Sequence[str]) -> str:
    if any(f'"seq":{place},' in line for line in lines[place:]):
        return f"lines were reordered: line {seq} stands where line {place} should be"
    return f"line {place} is missing: line {seq} stands in its place"


def _compare(name: str, checkpoint: Checkpoint, count: int, roots: dict[int, bytes]) -> LogCheck:
    """Compare the lines with one checkpoint."""
    size = checkpoint.size
    if count < size:
        return LogCheck(name, False, f"the log was truncated: {size - count} of {size} signed lines are missing")
    if roots[size] != checkpoint.root:
        text = f"a line among the first {size} was edited or replaced: they are not the lines that the vault signed"
        return LogCheck(name, False, text)
    return LogCheck(name, True, f"the first {size} lines are those that were signed")


def _check_known(log: ExportedLog, roots: dict[int, bytes]) -> Iterator[LogCheck]:
    """Compare the lines with the checkpoints that others kept. Two that disagree are a fork."""
    last = _read(log.checkpoint, log.log_key)
    for note in log.known:
        try:
            known = _read(note, log.log_key)
        except NoteError as error:
            yield LogCheck("known checkpoint", False, f"{error}")
            continue
        compared = _compare("known checkpoint", known, len(log.lines), roots)
        follows = known.size <= last.size and roots.get(last.size) == last.root
        if known.size == last.size and known.root != last.root:
            text = f"the log was forked: the vault signed two different logs of {known.size} lines"
            yield LogCheck("known checkpoint", False, text)
        elif not compared.passed and follows:
            text = f"the log was forked: a checkpoint of {known.size} lines, kept elsewhere, is not of these lines"
            yield LogCheck("known checkpoint", False, text)
        else:
            yield compared


def _check_witness(log: ExportedLog) -> LogCheck:
    """Check the cosignature of the checkpoint, or else of one of the known ones."""
    if log.witness_key is None:
        return LogCheck("witness", True, "no key of a witness was given: nobody but the vault vouches for this log")
    for text in (log.checkpoint, *log.known):
        try:
            note = Note.parse(text)
            at = read_cosignature(note, log.witness_key)
            size = _read(text, log.log_key).size
        except NoteError:
            continue
        return LogCheck("witness", True, f"{log.witness_key.name} cosigned {size} lines at {at.isoformat()}")
    return LogCheck("witness", False, f"{log.witness_key.name} cosigned none of these checkpoints")


def _sizes(log: ExportedLog) -> Iterator[int]:
    for text in log.known:
        try:
            yield _read(text, log.log_key).size
        except NoteError:
            continue


def _roots(lines: Sequence[str], sizes: Iterable[int]) -> dict[int, bytes]:
    """Return the roots of the first lines, for each of the sizes that are reached."""
    wanted, tree = set(sizes), Frontier()
    roots = {0: tree.root()}
    for line in lines:
        tree.append(leaf_hash(line.encode("utf-8")))
        if tree.size in wanted:
            roots[tree.size] = tree.root()
    return roots


def _read(text: str, key: NoteKey) -> Checkpoint:
    """Return the checkpoint of a note by this key and of this log. Raises NoteError."""
    checkpoint = read_checkpoint(Note.parse(text), [key.public])
    if checkpoint.origin != key.name:
        raise NoteError(f"the checkpoint is of another log ({checkpoint.origin})")
    return checkpoint
