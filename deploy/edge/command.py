"""The command line of the edge, with nothing but the standard library: `kuji-seal-paper` on a fax host."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.edge.folder_watch import ADVICE, FolderWatch
from deploy.edge.intake_client import IntakeClient, IntakeUnavailableError, PaperRefusedError
from deploy.edge.sealing import KeyRefusedError
from deploy.edge.sender import PaperChannel, Sender, serial_of
from deploy.edge.settings import EdgeSettings, NotSetUpError
from deploy.edge.spool import Spool
from shared.paper_files import NotAPaperError

USAGE = 2
REFUSED = 1
AWAY = 75
"""EX_TEMPFAIL of sysexits(3): run the same again later."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 sent, 1 a file was refused and kept, 2 not set up, 75 intake is away and all is spooled."""
    asked = _parser().parse_args(arguments)
    try:
        settings = EdgeSettings.read()
    except NotSetUpError as error:
        return _complain(str(error), USAGE)
    return run_tool(settings, asked.files, asked.channel, asked.serial, asked.watch)


def run_tool(
    settings: EdgeSettings, files: Sequence[Path], channel: PaperChannel, serial: str | None, watch: Path | None
) -> int:
    """Send the files, or watch the folder, for both command lines. Several files are named after their serials."""
    with IntakeClient(settings) as client:
        sender = Sender(settings, Spool(settings.spool), client)
        try:
            if watch is not None:
                FolderWatch(watch, channel, sender, tell=_tell).run()
            return max([_resumed(sender), *(_sent(sender, file, channel, serial or file.stem) for file in files)])
        except IntakeUnavailableError as away:
            return _complain(str(away), AWAY)
        except KeyRefusedError as refusal:
            return _complain(f"{refusal}; compare KUJI_SIGNING_KEY with the vault's", USAGE)


def _resumed(sender: Sender) -> int:
    """Deliver papers that earlier runs left; a paper refused now does not stop the others."""
    try:
        sender.resume()
    except PaperRefusedError as refusal:
        return _complain(str(refusal), REFUSED)
    return 0


def _sent(sender: Sender, file: Path, channel: PaperChannel, serial: str) -> int:
    try:
        if file.exists():
            _tell(f"{serial} {sender.send(file, channel, serial_of(serial))}")
            return 0
        return _complain(f"{serial}: there is no such file (or it was sent before)", REFUSED)
    except NotAPaperError as refusal:
        return _complain(f"{serial}: {refusal.code}: {ADVICE.get(refusal.code, '')} (kept)", REFUSED)
    except PaperRefusedError as refusal:
        return _complain(f"{serial}: {refusal} (kept)", REFUSED)


def _tell(line: str) -> None:
    print(line, flush=True)


def _complain(line: str, status: int) -> int:
    print(f"kuji: {line}", file=sys.stderr, flush=True)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("kuji-seal-paper", description="Seal faxes and scans for the vault and send them.")
    parser.add_argument("files", nargs="*", type=Path, help="TIFF, PDF, JPEG or PNG; removed once a receipt is there")
    parser.add_argument("--channel", choices=("fax", "post"), required=True, help="how the paper came")
    parser.add_argument("--serial", help="the number stamped on the paper; else the file's name without its ending")
    parser.add_argument("--watch", type=Path, help="a folder that a scanner writes into; runs until it is interrupted")
    return parser
