"""`./kuji verify`: check a transcript, certificate, receipt or disclosure with the file, and what lies beside it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from deploy.cli.output import AsJson
from deploy.cli.trace_entry import entry_of_receipt, path_of, show_path
from deploy.cli.verify_receipt import check_receipt_file, intake_keys, is_receipt, published


@dataclass(frozen=True)
class Attachments:
    """Files that were given besides the transcript."""

    rows: Path | None = None
    manifest: Path | None = None
    roll: Path | None = None
    receipt: Path | None = None
    intake_key: str | None = None
    proof: Path | None = None
    previous: Sequence[Path] = field(default=())
    evidence: Sequence[Path] = field(default=())
    vault_key: str | None = None
    campaign: Path | None = None


def verify(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="Transcript, certificate or receipt (JSON), or disclosure (PDF)."
        ),
    ],
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="A published signing key (base64url) to compare with; repeat it for keys that signed before."
        ),
    ] = None,
    rows: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Rows, where not in FILE.")] = None,
    manifest: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Published manifest, for a receipt.")
    ] = None,
    roll: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Roll of receipts (…/roll).")] = None,
    entry: Annotated[
        str | None, typer.Option(help="Follow one entry (entry number, or 32 hex characters) from ticket to result.")
    ] = None,
    receipt: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Look a receipt document up in the roll.")
    ] = None,
    vault_key: Annotated[
        str | None, typer.Option(help="The vault's published key, which signs the witnesses' digits.")
    ] = None,
    intake_key: Annotated[str | None, typer.Option(help="Intake's published key, for the receipt document.")] = None,
    proof: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Follow the entry of this proof of inclusion.")
    ] = None,
    previous: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Transcript or manifest that this draw corrects; of a further round all transcripts before it.",
        ),
    ] = None,
    campaign: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The campaign file, to compare the draw's rules with it."),
    ] = None,
    evidence: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="Photograph or recording of the dice.")
    ] = None,
    *,
    ask_code: Annotated[bool, typer.Option(help="Ask for the code, and follow the receipt document's entry.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check the transcript of a draw, a certificate of erasure, a receipt document, or a disclosure (PDF).

    Exit status 0 only if everything holds. A receipt is looked up in manifest and roll: those of the files, else those
    of the lottery that runs here.
    """
    attachments = Attachments(
        rows,
        manifest,
        roll,
        receipt,
        intake_key,
        proof,
        tuple(previous or ()),
        tuple(evidence or ()),
        vault_key,
        campaign,
    )
    keys = tuple(key) if key else None
    checks, content = _checks(file, keys, attachments)
    passed = bool(checks) and all(check.passed for check in checks)
    if entry is None and proof is not None and passed:
        entry = str(_read(proof)["entry"])
    if entry is None and receipt is not None and ask_code:
        entry = entry_of_receipt(_read(receipt), typer.prompt("Code", hide_input=True, err=True))
    path = path_of(content, entry, _earlier(content, attachments)) if passed and content and entry else None
    if as_json:
        shown = [{"name": check.name, "passed": check.passed, "text": check.text} for check in checks]
        verdict_document = {"passed": passed, "key_compared": keys is not None, "checks": shown, "path": path}
        typer.echo(json.dumps(verdict_document, ensure_ascii=False))
    else:
        _show(checks, passed=passed, pinned=keys is not None)
        if path is not None:
            show_path(path)
    raise typer.Exit(0 if passed else 1)


def _checks(file: Path, keys: tuple[str, ...] | None, attachments: Attachments) -> tuple[list[Any], Any]:
    """Return all checks, and the transcript where the file is one."""
    if file.read_bytes().startswith(b"%PDF-"):
        return _disclosure(file, keys), None
    content = _read(file)
    if is_receipt(content):
        compared = published(attachments.manifest, attachments.roll, str(content.get("campaign")))
        return list(check_receipt_file(content, intake_keys(attachments.intake_key), compared, keys)), None
    return _certificate(file, content, keys) if _is_certificate(content) else _transcript(file, keys, attachments)


def _disclosure(file: Path, keys: tuple[str, ...] | None) -> list[Any]:
    from services.vault.telephone.rules.disclosure_seal import verify_disclosure  # noqa: PLC0415

    if keys is None:
        raise typer.BadParameter("a disclosure is checked against the vault's published key: give it with --key")
    results = [verify_disclosure(file.read_bytes(), key) for key in keys]
    return next((checks for checks in results if all(check.passed for check in checks)), results[0])


def _certificate(file: Path, content: Any, keys: tuple[str, ...] | None) -> tuple[list[Any], None]:
    from services.vault.closeout.rules.certificate import verify_certificate  # noqa: PLC0415
    from shared.signing import key_name  # noqa: PLC0415

    if keys is None:
        raise typer.BadParameter("a certificate is checked against the vault's published key: give it with --key")
    key = next((each for each in keys if len(keys) > 1 and key_name(each) == content.get("key")), keys[0])
    if content.get("kind") == "person":
        from services.vault.person_erasure.rules.certificate import verify_person_certificate  # noqa: PLC0415

        return list(verify_person_certificate(file.read_bytes(), key)), None
    return list(verify_certificate(file.read_bytes(), key)), None


def _transcript(file: Path, keys: tuple[str, ...] | None, attachments: Attachments) -> tuple[list[Any], Any]:
    """Return all checks and the transcript; None where the file is no transcript."""
    # Half a second of imports (pairing curves) that no other command should wait for.
    from services.lottery.verification.transcript_checks import read_transcript, verify_file, verify_transcript  # noqa: PLC0415

    try:
        content = read_transcript(file, attachments.rows)
    except ValueError:
        return list(verify_file(file, keys, attachments.rows, attachments.vault_key).checks), None
    checks = verify_transcript(content, keys, attachments.vault_key).checks
    return [*checks, *_enclosed(content, attachments, keys)], content


def _enclosed(content: Any, attachments: Attachments, keys: tuple[str, ...] | None) -> Iterable[Any]:
    from services.lottery.verification.attachments import check_evidence, check_inclusion, check_previous  # noqa: PLC0415
    from services.lottery.verification.chain_checks import check_chain  # noqa: PLC0415

    yield from _receipts(content, attachments)
    if attachments.campaign is not None:
        from services.lottery.verification.campaign_check import check_campaign  # noqa: PLC0415

        yield from check_campaign(content, attachments.campaign)
    if attachments.proof is not None:
        yield check_inclusion(content, _read(attachments.proof))
    if isinstance(content, dict) and "places" in content:
        yield from check_chain(content, _earlier(content, attachments), keys)
    else:
        yield from (check_previous(content, _read(previous), keys) for previous in attachments.previous)
    for evidence in attachments.evidence:
        yield check_evidence(content, evidence.read_bytes())


def _earlier(content: Any, attachments: Attachments) -> list[Any]:
    """Return the transcripts of the draws that a further round continues, oldest first; none for any other draw."""
    from services.lottery.verification.further_checks import sort_draws  # noqa: PLC0415
    from services.lottery.verification.transcript_checks import read_transcript  # noqa: PLC0415

    if not isinstance(content, dict) or "places" not in content:
        return []
    try:
        return sort_draws([read_transcript(previous) for previous in attachments.previous])
    except (KeyError, TypeError, ValueError):
        return []


def _receipts(content: Any, attachments: Attachments) -> Iterable[Any]:
    from services.lottery.verification.roll_checks import check_receipt, check_roll  # noqa: PLC0415

    if attachments.roll is None:
        if attachments.receipt is not None:
            raise typer.BadParameter("a receipt is looked up in the roll: fetch it (…/roll) and name it with --roll")
        return
    roll = attachments.roll.read_text("utf-8")
    yield from check_roll(content, roll)
    if attachments.receipt is not None:
        yield from check_receipt(content, roll, _read(attachments.receipt), attachments.intake_key)


def _read(file: Path) -> Any:
    """Return the file's JSON; None where it is not JSON, so that no check holds."""
    try:
        return json.loads(file.read_text("utf-8"))
    except ValueError:
        return None


def _is_certificate(content: Any) -> bool:
    return isinstance(content, dict) and "certificate" in content


def _show(checks: Sequence[Any], *, passed: bool, pinned: bool) -> None:
    console = Console()
    for check in checks:
        mark = Text("✓ ", style="green") if check.passed else Text("✗ ", style="bold red")
        console.print(mark + Text(f"{check.name}: {check.text}"))
    if not pinned:
        console.print("Whose key signed was not compared; give the published key with --key.", style="yellow")
    verdict = "[bold green]everything holds[/]" if passed else "[bold red]this file does not hold; do not rely on it[/]"
    console.print(verdict)
