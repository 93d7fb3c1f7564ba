"""`./kuji verify`: check a transcript or a certificate with nothing but the file."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from deploy.cli.showing import AsJson


def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Transcript or certificate (JSON).")],
    key: Annotated[str | None, typer.Option(help="The published signing key (base64url) to compare with.")] = None,
    rows: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Rows, where not in FILE.")] = None,
    entry: Annotated[
        str | None, typer.Option(help="Follow one entry (32 hex characters) from ticket to result.")
    ] = None,
    proof: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Follow the entry of this proof of inclusion.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check the transcript of a draw, or a certificate of erasure. Exit status 0 only if everything holds."""
    checks = _checks(file, key, rows)
    if proof is not None:
        checks.append(_proof_check(file, proof))
        entry = entry or str(json.loads(proof.read_text("utf-8")).get("entry"))
    passed = bool(checks) and all(check["passed"] for check in checks)
    path = _path(file, rows, entry) if entry is not None and passed else None
    if as_json:
        told = {"passed": passed, "key_compared": key is not None, "checks": checks, "path": path}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        _show(checks, passed=passed, pinned=key is not None)
        if path is not None:
            _show_path(path)
    raise typer.Exit(0 if passed else 1)


def _proof_check(file: Path, proof: Path) -> dict[str, Any]:
    from services.lottery.inclusion import check_proof  # noqa: PLC0415
    from services.lottery.verification import read_transcript  # noqa: PLC0415

    root = json.loads(read_transcript(file)["manifest"])["root"]
    verdict = check_proof(json.loads(proof.read_text("utf-8")), root)
    text = {True: "the entry is on the list", False: "the entry is not on the list", None: "the proof does not hold"}
    return {"name": "proof of inclusion", "passed": verdict is not None, "text": text[verdict]}


def _path(file: Path, rows: Path | None, entry: str) -> dict[str, Any] | None:
    from services.lottery.manifest import Manifest  # noqa: PLC0415
    from services.lottery.rows import read_rows  # noqa: PLC0415
    from services.lottery.tracing import trace  # noqa: PLC0415
    from services.lottery.verification import key_of, read_transcript, rows_of  # noqa: PLC0415

    if not re.fullmatch(r"[0-9a-f]{32}", entry):
        raise typer.BadParameter("an entry is 32 hex characters, lower case: the application id without hyphens")
    content = read_transcript(file, rows)
    found = trace(
        key_of(content), Manifest.read(content["manifest"]), read_rows(rows_of(content)), bytes.fromhex(entry)
    )
    return found.shown() if found else {"entry": entry, "place": None}


_TRIED = {
    "taken": "taken",
    "held": "has it already",
    "clash": "clashes with one that it has",
    "full": "not enough seats left",
}


def _show_path(path: dict[str, Any]) -> None:
    console = Console()
    if path["place"] is None:
        console.print(f"Entry {path['entry']} is not on the list.")
        return
    console.print(f"Entry {path['entry']}: ticket {path['ticket']}, place {path['place']} of {path['entries']}")
    for each in path["attempts"]:
        said = f"{each['seats']} of {each['left']} seats left: {_TRIED[each['outcome']]}"
        console.print(f"  round {each['round']}, {each['class_id']}: {said}")
    for each in path["endings"]:
        place = f", number {each['place']}" if "place" in each else ""
        console.print(
            f"  → {each['class_id']}: {each['outcome']}{place}{each.get('reason', '') and ': ' + each['reason']}"
        )


def _checks(file: Path, key: str | None, rows: Path | None) -> list[dict[str, Any]]:
    # Half a second of imports (pairing curves) that no other command should wait for.
    from services.lottery.verification import verify_file  # noqa: PLC0415
    from services.vault.closeout.certificate import verify_certificate  # noqa: PLC0415

    if _is_certificate(file):
        if key is None:
            raise typer.BadParameter("a certificate is checked against the vault's published key: give it with --key")
        found: Sequence[Any] = verify_certificate(file.read_bytes(), key)
    else:
        found = verify_file(file, key, rows).checks
    return [{"name": each.name, "passed": each.passed, "text": each.text} for each in found]


def _is_certificate(file: Path) -> bool:
    try:
        content = json.loads(file.read_text("utf-8"))
    except ValueError:
        return False
    return isinstance(content, dict) and "certificate" in content


def _show(checks: Sequence[dict[str, Any]], *, passed: bool, pinned: bool) -> None:
    console = Console()
    for check in checks:
        mark = Text("✓ ", style="green") if check["passed"] else Text("✗ ", style="bold red")
        console.print(mark + Text(f"{check['name']}: {check['text']}"))
    if not pinned:
        console.print("Whose key signed was not compared; give the published key with --key.", style="yellow")
    verdict = "[bold green]everything holds[/]" if passed else "[bold red]this file does not hold; do not rely on it[/]"
    console.print(verdict)
