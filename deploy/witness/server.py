"""HTTP server of a witness (C2SP tlog-witness): cosigns checkpoints of the vault that extend the last one it saw."""

import base64
import binascii
import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from shared.clock import Clock
from shared.files import create_once, write_atomic
from shared.signing import SigningKey
from shared.tlog import (
    COSIGNATURE,
    Checkpoint,
    Note,
    NoteError,
    NoteKey,
    cosign,
    is_consistent,
    read_body,
    read_checkpoint,
)

_ORIGIN: Final = re.compile(r"kuji/audit/[0-9a-f]{16}/[1-9][0-9]{0,5}")
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,17})")
_MOST_HASHES: Final = 63
_LARGEST: Final = 100_000
_TIMEOUT_S: Final = 10.0

Answer = tuple[HTTPStatus, str]


class Witness:
    """Answers for the logs of one vault. `folder` keeps key and notes.

    `vault_keys` returns the keys (base64url) by which the vault signs at that moment: two while its key is rotated.
    """

    def __init__(self, folder: Path, vault_keys: Callable[[], Sequence[str]], name: str, clock: Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        seed = create_once(folder / "key", lambda: SigningKey.generate().to_bytes())
        self._folder, self._vault_keys, self._clock = folder, vault_keys, clock
        self._key, self._name, self._lock = SigningKey.from_bytes(seed), name, threading.Lock()

    @property
    def key(self) -> NoteKey:
        """Public key of the witness, for the vault and for verifiers."""
        return NoteKey(self._name, self._key.public, COSIGNATURE)

    def latest(self, origin: str) -> str:
        """Return the last note of this log with the cosignature; an empty text if there is none."""
        try:
            return self._file(origin).read_text("utf-8")
        except FileNotFoundError:
            return ""

    def add_checkpoint(self, request: str) -> Answer:
        """Keep and cosign a checkpoint that extends the last one; else refuse with the status of the specification."""
        head, _, text = request.partition("\n\n")
        old_line, *hashes = head.split("\n")
        old = _OLD.fullmatch(old_line)
        try:
            note = Note.parse(text)
            proof = [base64.b64decode(line, validate=True) for line in hashes]
        except (NoteError, binascii.Error):
            return HTTPStatus.BAD_REQUEST, ""
        if old is None or len(proof) > _MOST_HASHES:
            return HTTPStatus.BAD_REQUEST, ""
        if not _ORIGIN.fullmatch(note.body.partition("\n")[0]):
            return HTTPStatus.NOT_FOUND, ""
        try:
            checkpoint = read_checkpoint(note, self._vault_keys())
        except NoteError:
            return HTTPStatus.FORBIDDEN, ""
        with self._lock:
            return self._extend(note, checkpoint, int(old[1]), proof)

    def _extend(self, note: Note, checkpoint: Checkpoint, old: int, proof: list[bytes]) -> Answer:
        text = self.latest(checkpoint.origin)
        known = _read_kept(text) if text else Checkpoint(checkpoint.origin, 0, b"")
        if old > checkpoint.size:
            return HTTPStatus.BAD_REQUEST, ""
        if old != known.size or (old == checkpoint.size and known.root != checkpoint.root):
            return HTTPStatus.CONFLICT, f"{known.size}\n"
        if not is_consistent(old, checkpoint.size, known.root, checkpoint.root, proof):
            return HTTPStatus.UNPROCESSABLE_ENTITY, ""
        line = cosign(note.body, self._key, self._name, self._clock.now())
        write_atomic(self._file(checkpoint.origin), note.with_signature(line).to_text().encode("utf-8"))
        return HTTPStatus.OK, line.to_text()

    def _file(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode('utf-8')).hexdigest()}.note"


def _read_kept(text: str) -> Checkpoint:
    """Return a checkpoint that the witness verified when it came: the key of then may be revoked by now."""
    return read_body(Note.parse(text).body)


def make_server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """Return the server; `port` 0 takes a free one. The caller runs and closes it."""

    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT_S

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            origin = parse_qs(parts.query).get("origin", [""])[0]
            note = witness.latest(origin) if parts.path == "/checkpoint" else ""
            self._answer(HTTPStatus.OK if note else HTTPStatus.NOT_FOUND, note)

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != "/add-checkpoint" or not length.isdecimal() or int(length) > _LARGEST:
                self._answer(HTTPStatus.BAD_REQUEST, "")
                return
            self._answer(*witness.add_checkpoint(self.rfile.read(int(length)).decode("utf-8", "replace")))

        def _answer(self, status: HTTPStatus, text: str) -> None:
            body = text.encode("utf-8")
            self.send_response(status)
            kind = "text/x.tlog.size" if status is HTTPStatus.CONFLICT else "text/plain; charset=utf-8"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write no log of requests."""

    return ThreadingHTTPServer((host, port), Handler)
