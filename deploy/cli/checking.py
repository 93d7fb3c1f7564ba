"""`./kuji verify`: check a transcript or a certificate with nothing but the file."""

import json
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
    *,
    as_json: AsJson = False,
) -> None:
    """Check the transcript of a draw, or a certificate of erasure. Exit status 0 only if everything holds."""
    checks = _checks(file, key)
    passed = bool(checks) and all(check["passed"] for check in checks)
    if as_json:
        typer.echo(
            json.dumps({"passed": passed, "key_compared": key is not None, "checks": checks}, ensure_ascii=False)
        )
    else:
        _show(checks, passed=passed, pinned=key is not None)
    raise typer.Exit(0 if passed else 1)


def _checks(file: Path, key: str | None) -> list[dict[str, Any]]:
    # Half a second of imports (pairing curves) that no other command should wait for.
    from services.lottery.verification import verify_file  # noqa: PLC0415
    from services.vault.closeout.certificate import verify_certificate  # noqa: PLC0415

    if _is_certificate(file):
        if key is None:
            raise typer.BadParameter("a certificate is checked against the vault's published key: give it with --key")
        found: Sequence[Any] = verify_certificate(file.read_bytes(), key)
    else:
        found = verify_file(file, key).checks
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
