"""Ask the witness for cosignatures (C2SP tlog-witness `add-checkpoint`). Nothing waits for the witness."""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.vault.audit.checkpoints import Checkpoints, LogCutError
from services.vault.audit.folder import CheckpointFolder, SignedState
from services.vault.audit.repository import AuditRepository
from services.vault.audit.witness_connection import HttpWitness, WitnessConnection
from shared.errors import ConfigurationError
from shared.logging import describe, get_logger
from shared.merkle import leaf_hash
from shared.tlog import (
    COSIGNATURE,
    Checkpoint,
    Frontier,
    Note,
    NoteError,
    NoteKey,
    SignatureLine,
    prove_consistency,
    read_cosignature,
)

ALARM_AFTER: Final = timedelta(hours=24)
AGAIN_AFTER: Final = timedelta(hours=1)
"""Age of a cosignature after which the witness is asked again although no line came."""

_log = get_logger(__name__)


@dataclass(frozen=True)
class Witness:
    """A witness of the log; without `key` there is none."""

    key: NoteKey | None = None
    connection: WitnessConnection | None = None

    @classmethod
    def of(cls, url: str | None, vkey: str | None) -> "Witness":
        """Return the witness of the settings. Raises ConfigurationError for half of them, or a damaged key."""
        if url is None and vkey is None:
            return NO_WITNESS
        try:
            key = NoteKey.parse(vkey or "")
        except NoteError:
            raise ConfigurationError("KUJI_WITNESS_KEY_FILE holds no key of a witness (name+id+key)") from None
        if url is None or key.kind != COSIGNATURE:
            raise ConfigurationError("a witness needs KUJI_WITNESS_URL, and a key for cosignatures")
        return cls(key, HttpWitness(url))

    def hours_without(self, folder: CheckpointFolder, now: datetime) -> int:
        """Return the hours since the last cosignature, from the 24th on; 0 before, and where there is no witness."""
        epoch = folder.epoch
        signed, cosigned = folder.signed(epoch), folder.cosigned(epoch)
        if self.key is None or signed is None:
            return 0
        age = now - (signed.since if cosigned is None else cosigned.at)
        return int(age / timedelta(hours=1)) if age >= ALARM_AFTER else 0

    async def ask(self, repository: AuditRepository, checkpoints: Checkpoints) -> bool:
        """Have the last checkpoint cosigned, and keep the cosignature. Return False if the witness is away or refuses.

        A checkpoint of the vault at the witness that these lines do not extend proves that the log was cut. Of several
        vault processes one asks at a time: two would tell the witness the same end of the log.
        """
        async with checkpoints.folder.asking():
            return await self.converse(repository, checkpoints)

    async def converse(self, repository: AuditRepository, checkpoints: Checkpoints) -> bool:
        """Do what `ask` does. Raises LeaseError outside the folder's `asking`, after the witness has answered."""
        folder, now = checkpoints.folder, checkpoints.wall.now()
        epoch = folder.epoch
        signed, cosigned = folder.signed(epoch), folder.cosigned(epoch)
        if self.key is None or self.connection is None or signed is None or folder.cut(epoch) is not None:
            return False
        if cosigned is not None and cosigned.is_of(signed) and now - cosigned.at < AGAIN_AFTER:
            return True
        try:
            text = await asyncio.to_thread(self.connection.latest, folder.origin(epoch))
            known = checkpoints.read_known(text, epoch)
            # The folder learns of a checkpoint before the witness does. So it is read after the witness answered: else
            # what another process signed meanwhile would look like lines that are missing here.
            signed, cosigned = folder.signed(epoch) or signed, folder.cosigned(epoch)
            proof = await _prove(repository, epoch, known, cosigned, signed)
            request = _request(known.size, proof, signed.note)
            answer = await asyncio.to_thread(self.connection.add_checkpoint, request)
            folder.write_cosigned(epoch, replace(signed, note=_with_cosignature(signed.note, answer, self.key), at=now))
        except LogCutError as error:
            checkpoints.report_cut(epoch, error)
            return False
        except (OSError, NoteError) as error:
            _log.warning("not-cosigned", **describe(error))
            return False
        return True


NO_WITNESS: Final = Witness()


async def _prove(
    repository: AuditRepository, epoch: int, known: Checkpoint, cosigned: SignedState | None, signed: SignedState
) -> list[bytes]:
    """Return the proof that the last checkpoint extends the one that the witness knows. Raises LogCutError."""
    if known.size > signed.size:
        raise LogCutError("witness-knows-more", known.size, signed.size)
    is_kept = cosigned is not None and cosigned.size == known.size
    old = cosigned.frontier if cosigned is not None and is_kept else Frontier()
    added: list[bytes] = []
    async for lines in repository.read(epoch, old.size):
        for line in lines:
            leaf = leaf_hash(line.text.encode("utf-8"))
            if old.size < known.size:
                old.append(leaf)
            elif old.size + len(added) < signed.size:
                added.append(leaf)
        if old.size + len(added) >= signed.size:
            break
    if known.size and old.root() != known.root:
        raise LogCutError("other-lines", known.size, old.size)
    return prove_consistency(old, added)


def _request(size: int, proof: Sequence[bytes], note: str) -> str:
    """Return the body of `add-checkpoint`."""
    hashes = "".join(base64.b64encode(node).decode("ascii") + "\n" for node in proof)
    return f"old {size}\n{hashes}\n{note}"


def _with_cosignature(note: str, answer: str, key: NoteKey) -> str:
    """Return the note with the cosignature of the answer. Raises NoteError if there is none by this key."""
    for line in answer.splitlines():
        signature = SignatureLine.parse(line)
        if signature.is_by(key):
            cosigned = Note.parse(note).with_signature(signature)
            read_cosignature(cosigned, key)
            return cosigned.to_text()
    raise NoteError("the witness answered without its own signature")
