"""`./kuji verify … --entry`: one entry's way from its ticket to its result, out of the file alone."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich.console import Console

from shared.json_types import JsonObject

_TRIED = {
    "taken": "taken",
    "held": "has it already",
    "limit": "has as many classes as it may",
    "clash": "clashes with one that it has",
    "full": "not enough seats left",
}


def find_entry(text: str, ids: Iterable[bytes]) -> str:
    """Return the entry id (hex) of an entry id or entry number. Raises typer.BadParameter."""
    from shared.codes import entry_prefix, normalise_entry_number  # noqa: PLC0415

    if re.fullmatch(r"[0-9a-f]{32}", text):
        return text
    try:
        number = normalise_entry_number(text)
    except ValueError:
        raise typer.BadParameter("give an entry number (E-…) or an entry id (32 hex characters)") from None
    prefix = bytes.fromhex(entry_prefix(number))
    found = [identity.hex() for identity in ids if identity.startswith(prefix)]
    if not found:
        raise typer.BadParameter(f"no entry of this list has the number {number}")
    if len(found) > 1:
        raise typer.BadParameter(f"{len(found)} entries have the number {number}: give the id: {', '.join(found)}")
    return found[0]


def entry_of_receipt(document: JsonObject, code: str) -> str:
    """Return the entry id of a receipt document's application, with the applicant's code. Raises typer.BadParameter."""
    from shared.codes import entry_id, parse_code  # noqa: PLC0415

    try:
        return entry_id(document["campaign"], document["application_id"], parse_code(code))
    except (KeyError, TypeError, ValueError):
        raise typer.BadParameter("this is not a receipt document, or not its code") from None


def path_of(content: Any, entry: str, earlier: Sequence[Any] = ()) -> JsonObject:
    """Return the path of an entry, given by its id or its number; `content` has been verified.

    `earlier`: transcripts of the draws that a further round continues, oldest first; `before` has its path in each.
    """
    from services.lottery.record.rows import read_rows  # noqa: PLC0415
    from services.lottery.verification.transcript_checks import get_rows  # noqa: PLC0415

    first = earlier[0] if earlier else content
    identity = find_entry(entry, (listed.id for listed in read_rows(get_rows(first))))
    path = _path(content, identity)
    return {**path, "before": [_path(one, identity) for one in earlier]} if earlier else path


def _path(content: Any, identity: str) -> JsonObject:
    from services.lottery.record.manifest import Manifest  # noqa: PLC0415
    from services.lottery.record.rows import read_rows  # noqa: PLC0415
    from services.lottery.verification.trace import trace  # noqa: PLC0415
    from services.lottery.verification.transcript_checks import derive_key, get_rows  # noqa: PLC0415

    entries = read_rows(get_rows(content))
    manifest, key, places = Manifest.read(content["manifest"]), derive_key(content), content.get("places")
    found = trace(key, manifest, entries, bytes.fromhex(identity), places)
    path = dict(found.to_document()) if found else {"entry": identity, "place": None}
    return {"draw": manifest.draw, **path}


def show_path(path: JsonObject) -> None:
    """Print the path; that of a further round after those of the draws before it."""
    console = Console()
    for before in path.get("before", ()):
        show_path(before)
    console.print(f"{path['draw']}:")
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
