"""A folder that a scanner writes into: each file that its writer has closed is sent; what cannot be is moved aside.

The scanner names a file after the number stamped on the paper (`P-0123.tif`), which is how the paper is found again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.edge.intake_client import IntakeUnavailableError, PaperRefusedError
from deploy.edge.open_files import is_being_written
from deploy.edge.sealing import KeyRefusedError
from deploy.edge.sender import UNAUTHORIZED, PaperChannel, Sender, serial_of
from shared.files import write_atomic
from shared.paper_files import NotAPaperError

REJECTED: Final = "rejected"

ADVICE: Final = {
    "serial": "ファイル名を、書類に押した番号（英数字とハイフン、32字まで）にしてください。 "
    "Name the file after the number stamped on the paper: letters, digits, hyphens, 32 at most.",
    "empty": "中身がありません。読み取り直してください。 The file is empty; scan again.",
    "too-large": "8 MiB を超えています。解像度を下げるか、分けて読み取ってください。 Over 8 MiB; scan in parts.",
    "unknown-kind": "TIFF・PDF・JPEG・PNG ではありません。 Not a TIFF, PDF, JPEG or PNG, whatever its name says.",
    "serial-taken": "この番号の書類は送信済みです。後から書き込まれたときは、番号を変えて読み取り直してください。 "
    "A paper of this number was sent before; if this file grew afterwards, scan it again under another number.",
    "damaged": "壊れているか、途中で切れています。読み取り直してください。 Damaged or cut short; scan again.",
    "encrypted": "パスワードの付いた PDF は送れません。 A PDF with a password cannot be sent.",
    "too-many-pages": "20ページを超えています。分けて読み取ってください。 Over 20 pages; scan in parts.",
    "too-many-pixels": "1ページが大きすぎます。解像度を下げてください。 A page is too large; scan coarser.",
}
"""What to do about a refusal, by its code."""


@dataclass
class FolderWatch:
    """`settle_s`: a file that has not changed for so long is complete, once its writer has closed it."""

    folder: Path
    channel: PaperChannel
    sender: Sender
    tell: Callable[[str], None]
    settle_s: float = 2.0
    _seen: dict[Path, tuple[tuple[int, int], float]] = field(default_factory=dict, init=False)

    def run(self, every_s: float = 0.5) -> None:
        """Look at the folder again and again until interrupted."""
        while True:
            self.once()
            time.sleep(every_s)

    def once(self) -> None:
        """Send files that are complete, after papers that intake could not take before."""
        try:
            self.sender.resume()
        except IntakeUnavailableError as away:
            self.tell(str(away))
            return
        except PaperRefusedError as refusal:
            self.tell(f"refused: {refusal}")
        for file in sorted(self._complete()):
            self._send(file)

    def _complete(self) -> list[Path]:
        files = [each for each in self.folder.iterdir() if each.is_file() and not each.name.startswith(".")]
        self._seen = {file: self._looked_at(file) for file in files}
        settled = [file for file, (_, since) in self._seen.items() if time.monotonic() - since >= self.settle_s]
        return [file for file in settled if not is_being_written(file)]

    def _looked_at(self, file: Path) -> tuple[tuple[int, int], float]:
        stat = file.stat()
        now = stat.st_size, stat.st_mtime_ns
        before, since = self._seen.get(file, (now, time.monotonic()))
        return (now, since) if before == now else (now, time.monotonic())

    def _send(self, file: Path) -> None:
        try:
            serial = serial_of(file.stem)
            self.tell(f"{serial} {self.sender.send(file, self.channel, serial)}")
        except NotAPaperError as refusal:
            self._reject(file, refusal.code, ADVICE.get(refusal.code, ""))
        except PaperRefusedError as refusal:
            if refusal.code == UNAUTHORIZED:
                self.tell(str(refusal))
            else:
                self._reject(file, refusal.code, refusal.advice)
        except (IntakeUnavailableError, KeyRefusedError) as error:
            self.tell(str(error))

    def _reject(self, file: Path, code: str, advice: str) -> None:
        """Out of the way, with the reason beside it: a code and what to do, nothing of what the paper holds."""
        aside = self.folder / REJECTED
        aside.mkdir(exist_ok=True, mode=0o700)
        write_atomic(aside / f"{file.name}.reason", f"{code}\n{advice}\n".encode())
        file.replace(aside / file.name)
        self.tell(f"rejected: {code}")
