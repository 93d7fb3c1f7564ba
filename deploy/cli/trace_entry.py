"""`./kuji verify … --entry`, `--receipt`: one entry's way from its ticket to its result, out of the file alone."""

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any
from uuid import UUID

import typer
from rich.console import Console

from shared import receipts
from shared.ids import ApplicationId
from shared.json_types import JsonObject

_NUMBERS = 4
"""So many of an application's possible numbers are looked at: a later one is given only where all before were taken."""

_CHANNELS = {letter: channel for channel, letter in receipts.LETTERS.items()}

_TRIED = {
    "taken": "taken",
    "held": "has it already",
    "clash": "clashes with one that it has",
    "full": "not enough seats left",
}


def entry_of(receipt: str, ids: Iterable[bytes]) -> str:
    """Return the entry (hex) whose id gives this number (`docs/protocols.md` §0). Raises typer.BadParameter."""
    try:
        number = receipts.normalise_receipt(receipt)
    except ValueError:
        raise typer.BadParameter("this is not a receipt number: compare it with the notice") from None
    channel = _CHANNELS[number[0]]
    found = [each for each in ids if number in islice(receipts.candidates(channel, _application(each)), _NUMBERS)]
    if len(found) != 1:
        raise typer.BadParameter(
            "no entry of this list leads to that number (a paper's is made from the paper's id): "
            "fetch receipts/NUMBER/proof from the lottery and give that file with --proof"
        )
    return found[0].hex()


def path_of(content: Any, entry: str | None, receipt: str | None) -> JsonObject:
    """Return the path of the entry, or of the entry with this receipt number; `content` has been verified."""
    from services.lottery.record.manifest import Manifest  # noqa: PLC0415
    from services.lottery.record.rows import read_rows  # noqa: PLC0415
    from services.lottery.verification.trace import trace  # noqa: PLC0415
    from services.lottery.verification.transcript_checks import derive_key, get_rows  # noqa: PLC0415

    entries = read_rows(get_rows(content))
    if entry is None:
        entry = entry_of(receipt or "", (each.id for each in entries))
    if not re.fullmatch(r"[0-9a-f]{32}", entry):
        raise typer.BadParameter("an entry is 32 hex characters, lower case: the application id without hyphens")
    found = trace(derive_key(content), Manifest.read(content["manifest"]), entries, bytes.fromhex(entry))
    return dict(found.to_document()) if found else {"entry": entry, "place": None}


def show_path(path: JsonObject) -> None:
    console = Console()
    if path["place"] is None:
        console.print(f"Entry {path['entry']} is not on the list.")
        return
    console.print(f"Entry {path['entry']}: ticket {path['ticket']}, place {path['place']} of {path['entries']}")
    for attempt in path["attempts"]:
        attempt_text = f"{attempt['seats']} of {attempt['left']} seats left: {_TRIED[attempt['outcome']]}"
        console.print(f"  round {attempt['round']}, {attempt['class_id']}: {attempt_text}")
    for ending in path["endings"]:
        place = f", number {ending['place']}" if "place" in ending else ""
        reason = f": {ending['reason']}" if "reason" in ending else ""
        console.print(f"  → {ending['class_id']}: {ending['outcome']}{place}{reason}")


def _application(entry: bytes) -> ApplicationId:
    return ApplicationId(str(UUID(bytes=entry)))
