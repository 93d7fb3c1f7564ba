"""The leak hunt's eyes: finds a person's canary in bytes, files and the memory of a running process.

A canary is looked for as it was typed and in the forms in which data hides: other letter case, UTF-16, hex,
base64 at each of its three alignments, JSON and percent escapes.
"""

import base64
import contextlib
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ahocorasick
from pymongo.collection import Collection

CHUNK = 8 * 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """Where a canary was found: the place, the canary's name, the form and the offset in bytes."""

    place: str
    canary: str
    form: str
    offset: int


@dataclass(frozen=True)
class Needle:
    canary: str
    form: str
    pattern: bytes


class Sought:
    """Many needles looked for in one pass."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self._automaton = ahocorasick.Automaton()
        self.longest = 0
        for needle in needles:
            self._automaton.add_word(needle.pattern.decode("latin-1"), needle)
            self.longest = max(self.longest, len(needle.pattern))
        self._automaton.make_automaton()

    def find(self, place: str, data: bytes, base: int = 0) -> list[Finding]:
        """Return the first finding of each canary in each form; `base` is the offset at which `data` begins."""
        found: dict[tuple[str, str], Finding] = {}
        for end, needle in self._automaton.iter(data.decode("latin-1")):
            at = base + end + 1 - len(needle.pattern)
            found.setdefault((needle.canary, needle.form), Finding(place, needle.canary, needle.form, at))
        return list(found.values())


def seek(canaries: Mapping[str, str]) -> Sought:
    """Return all forms of all canaries, by name. Raises ValueError if one is so short that it occurs by chance."""
    found: dict[bytes, Needle] = {}
    for name, value in canaries.items():
        if len(value.encode()) < 7:
            raise ValueError(f"the canary {name} is too short to be told from chance")
        for spelling in dict.fromkeys((value, value.upper(), value.lower())):
            for form, pattern in _forms(spelling):
                found.setdefault(pattern, Needle(name, form, pattern))
    return Sought(found.values())


def _forms(text: str) -> Iterator[tuple[str, bytes]]:
    plain = text.encode("utf-8")
    yield "utf-8", plain
    yield "utf-16le", text.encode("utf-16-le")
    yield "utf-16be", text.encode("utf-16-be")
    yield "utf-32le", text.encode("utf-32-le")
    yield "hex", plain.hex().encode()
    yield "hex upper", plain.hex().upper().encode()
    for data, of in ((plain, ""), (text.encode("utf-16-le"), " of utf-16")):
        for shift in range(3):
            yield f"base64+{shift}{of}", _base64_core(data, shift)
            yield f"base64url+{shift}{of}", _base64_core(data, shift).translate(bytes.maketrans(b"+/", b"-_"))
    yield "json escapes", json.dumps(text)[1:-1].encode()
    yield "percent", urllib.parse.quote(text).encode()


def _base64_core(data: bytes, shift: int) -> bytes:
    """Return the base64 characters that depend on `data` alone if `shift` unknown bytes precede it."""
    encoded = base64.b64encode(bytes(shift) + data)
    first = (shift * 8 + 5) // 6
    last = (shift + len(data)) * 8 // 6
    return encoded[first:last]


def hunt_files(root: Path, sought: Sought) -> list[Finding]:
    """Search every regular file below `root`, from its first to its last byte."""
    found: list[Finding] = []
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with contextlib.suppress(FileNotFoundError):
                found += _hunt_stream(path, sought)
    return found


def hunt_documents(collection: Collection[dict[str, Any]], sought: Sought) -> list[Finding]:
    """Search all documents of a collection, which must not be empty."""
    documents = list(collection.find())
    assert documents, f"{collection.full_name} is empty: searching it shows nothing"
    return [finding for each in documents for finding in sought.find(collection.full_name, bytes_of(each))]


def bytes_of(value: Any) -> bytes:
    """Return every text and byte string in a document."""
    if isinstance(value, dict):
        return b"\x00".join(bytes_of(each) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return b"\x00".join(map(bytes_of, value))
    return value if isinstance(value, bytes) else str(value).encode("utf-8")


def _hunt_stream(path: Path, sought: Sought) -> list[Finding]:
    overlap = sought.longest
    found, base, tail = [], 0, b""
    with path.open("rb") as stream:
        while block := stream.read(CHUNK):
            data = tail + block
            found += sought.find(path.name, data, base - len(tail))
            tail, base = data[-overlap:], base + len(block)
    return found


@dataclass(frozen=True)
class MemoryScan:
    """Bytes read from a process (`read`) and the findings; `read` shows that the search was not empty."""

    read: int
    findings: tuple[Finding, ...]


def hunt_memory(pid: int, place: str, sought: Sought) -> MemoryScan:
    """Search the readable, writable memory of a live process (proc(5): maps, mem). The caller owns it or is root."""
    found, read = [], 0
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start, end in _regions(pid):
            for at in range(start, end, CHUNK):
                data = _peek(memory, at, min(CHUNK + 4096, end - at))
                read += len(data)
                found += sought.find(place, data, at)
    return MemoryScan(read, tuple(found))


def _regions(pid: int) -> Iterator[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        matched = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
        if matched and "[vvar" not in line:
            yield int(matched[1], 16), int(matched[2], 16)


def _peek(memory: object, at: int, size: int) -> bytes:
    try:
        memory.seek(at)  # type: ignore[attr-defined]
        return memory.read(size) or b""  # type: ignore[attr-defined,no-any-return]
    except OSError:
        return b""
