"""Send a paper: check, strip metadata, seal, spool, post; the clear file is removed after the receipt."""

from __future__ import annotations

import os
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

from deploy.edge.intake_client import IntakeClient, PaperRefusedError
from deploy.edge.settings import EdgeSettings
from deploy.edge.spool import ClearFile, SealedPaper, Spool
from deploy.edge.strip_metadata import strip_metadata
from shared.paper_files import BYTES, NotAPaperError

if TYPE_CHECKING:
    from shared.ids import PaperId, Receipt, Serial

PaperChannel = Literal["fax", "post"]

_SERIAL: Final = re.compile(r"[A-Za-z0-9-]{1,32}\Z")
KEY_EXPIRED: Final = "key-expired"
CONFLICT: Final = "conflict"
UNAUTHORIZED: Final = "unauthorized"


def serial_of(text: str) -> Serial:
    """Check the number stamped on a paper. Raises NotAPaperError (`serial`)."""
    if _SERIAL.match(text) is None:
        raise NotAPaperError("serial")
    return cast("Serial", text)


@dataclass(frozen=True)
class Sender:
    settings: EdgeSettings
    spool: Spool
    client: IntakeClient

    def send(self, file: Path, channel: PaperChannel, serial: Serial) -> Receipt:
        """Seal the file, deliver it and remove it; return the receipt.

        Fetches the key again, once, where it has just expired: the clear file can still be sealed again.
        Raises NotAPaperError and PaperRefusedError (the file stays), IntakeUnavailableError (a later run delivers it).
        """
        paper = self._waiting(file) or self._sealed_file(file, channel, serial)
        try:
            return self.deliver(paper)
        except PaperRefusedError as refusal:
            if refusal.code != KEY_EXPIRED:
                raise
        return self.deliver(self._sealed_file(file, channel, serial))

    def send_bytes(self, content: bytes, channel: PaperChannel, serial: Serial, paper_id: PaperId) -> SealedPaper:
        """Seal content that never was a file and put it into the spool.

        Raises NotAPaperError, KeyRefusedError, IntakeUnavailableError.
        """
        return self._sealed(content, channel, serial, paper_id, datetime.now(UTC))

    def resume(self) -> int:
        """Deliver what earlier runs left in the spool; return the number delivered.

        Raises IntakeUnavailableError at once, or the last PaperRefusedError after all were tried.
        """
        delivered, refused = 0, None
        for paper in list(self.spool.papers()):
            try:
                self.deliver(paper)
                delivered += 1
            except PaperRefusedError as refusal:
                refused = refusal
        if refused is not None:
            raise refused
        return delivered

    def deliver(self, paper: SealedPaper) -> Receipt:
        """Post what is spooled. A wrong token is the installation's fault, not the paper's: it stays spooled."""
        try:
            receipt = self.client.post(paper)
        except PaperRefusedError as refusal:
            if refusal.code == CONFLICT:  # a fax that was pushed twice: intake has the one sealed first
                self.spool.drop(paper)
            elif refusal.code != UNAUTHORIZED:
                self.spool.refuse(paper)
            raise
        self.spool.done(paper)
        return receipt

    def _waiting(self, file: Path) -> SealedPaper | None:
        """Return the sealed copy that an earlier run made of this file; sealing it again would create another paper."""
        this = ClearFile.of(file, file.stat())
        return next((paper for paper in self.spool.papers() if paper.clear and paper.clear.is_same_file(this)), None)

    def _sealed_file(self, file: Path, channel: PaperChannel, serial: Serial) -> SealedPaper:
        with file.open("rb") as opened:
            facts = os.fstat(opened.fileno())
            content = opened.read(BYTES + 1)
        paper_id = cast("PaperId", str(uuid.uuid4()))
        came_at = datetime.fromtimestamp(facts.st_mtime, UTC)
        return self._sealed(content, channel, serial, paper_id, came_at, clear=ClearFile.of(file, facts, content))

    def _sealed(
        self,
        content: bytes,
        channel: PaperChannel,
        serial: Serial,
        paper_id: PaperId,
        came_at: datetime,
        *,
        clear: ClearFile | None = None,
    ) -> SealedPaper:
        pages = strip_metadata(content)
        key = self.client.key()
        sealed = key.seal_paper(paper_id, pages)
        paper = SealedPaper(key.campaign, paper_id, key.key_id, channel, serial, came_at.isoformat(), sealed, clear)
        self.spool.put(paper)
        return paper
