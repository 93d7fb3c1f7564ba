"""The audit log: export it, and verify an export offline."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.api import ask
from shared.json_types import JsonObject

audit = typer.Typer(help="Export the audit log, and verify an export offline.", no_args_is_help=True)


@audit.command("export")
def export(folder: Annotated[Path, typer.Argument(help="Where to write the files.")]) -> None:
    """Write lines, checkpoints and public keys of every log into a folder (right: read-audit-log)."""
    from services.vault.closeout.package_format import log_files  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    epoch, last_epoch = 1, 1
    while epoch <= last_epoch:
        log = _whole(epoch)
        last_epoch = int(log["last_epoch"])
        for name, content in log_files(log).items():
            (folder / name).write_bytes(content)
            typer.echo(folder / name)
        epoch += 1


def _whole(epoch: int) -> JsonObject:
    """Return one log with all its lines; the checkpoint is asked for first, so that the lines reach it."""
    log = ask("vault", "GET", f"audit?epoch={epoch}")
    lines = list(log["lines"])
    while more := ask("vault", "GET", f"audit?epoch={epoch}&after={len(lines)}")["lines"]:
        lines += more
    return {**log, "lines": lines}


@audit.command("verify")
def verify(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder of an export or of a return.")],
    key: Annotated[str | None, typer.Option(help="The vault's published signing key (base64url), to compare.")] = None,
    witness_key: Annotated[str | None, typer.Option(help="Key of the ward's witness (name+id+key).")] = None,
    known: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="A checkpoint that was kept elsewhere.")
    ] = None,
) -> None:
    """Verify exported logs with nothing but the files. Exit status 0 only if everything holds."""
    files = sorted(folder.glob("audit-*.jsonl"))
    notes = [path.read_text("utf-8") for path in known or ()]
    results = [_verify_file(file, key, witness_key, notes) for file in files]
    if key is None:
        typer.echo("Whose key signed was not compared; give the published key with --key.")
    raise typer.Exit(0 if results and all(results) else 1)


def _verify_file(file: Path, key: str | None, witness_key: str | None, known: list[str]) -> bool:
    from services.vault.audit.rules.verification import ExportedLog, verify_log  # noqa: PLC0415
    from shared.tlog import COSIGNATURE, NoteError, NoteKey  # noqa: PLC0415

    try:
        keys = [NoteKey.parse(line) for line in _read(file.with_suffix(".keys")).splitlines()]
        witness = NoteKey.parse(witness_key) if witness_key else next((k for k in keys if k.kind == COSIGNATURE), None)
        log_key = next(k for k in keys if k.kind != COSIGNATURE)
    except (NoteError, StopIteration):
        typer.echo(f"✗ {file.name}: the file of public keys is missing or damaged")
        return False
    if key is not None:
        log_key = NoteKey(log_key.name, key)
    cosigned = _read(file.with_suffix(".cosigned"))
    own = [note for note in known if note.startswith(f"{log_key.name}\n")]
    lines = _read(file).split("\n")[:-1]
    checkpoint = _read(file.with_suffix(".checkpoint"))
    log = ExportedLog(lines, checkpoint, log_key, witness, [*own, *([cosigned] if cosigned else [])])
    checks = verify_log(log)
    for check in checks:
        typer.echo(f"{'✓' if check.passed else '✗'} {file.name}: {check.name}: {check.text}")
    return all(check.passed for check in checks)


def _read(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""
