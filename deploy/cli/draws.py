"""The draw by command: look at it, freeze it, give it dice or a beacon value, fetch its transcript."""

import base64
import hashlib
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.api import ask, call_public, campaign_or_only
from deploy.cli.output import AsJson, CampaignOption, show, show_one

EvidenceOption = Annotated[
    list[Path] | None,
    typer.Option(exists=True, dir_okay=False, help="Photograph or recording; only its hash leaves this machine."),
]

draw = typer.Typer(help="The draw of a campaign.", no_args_is_help=True)


@draw.command("status")
def status(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """Show the state of the draw, and the things that it waits for."""
    show_one(ask("lottery", "GET", f"campaigns/{campaign_or_only(campaign)}/draw"), as_json=as_json)


@draw.command("freeze")
def freeze(
    override_reason: Annotated[str | None, typer.Option(help="Freeze an incomplete list; stands in public.")] = None,
    approved_by: Annotated[str | None, typer.Option(help="Second person, needed for an override.")] = None,
    campaign: CampaignOption = None,
) -> None:
    """Fix the list now instead of at the draw time."""
    body = {"override_reason": override_reason, "approved_by": approved_by}
    show_one(ask("lottery", "POST", f"campaigns/{campaign_or_only(campaign)}/freeze", body), as_json=False)


@draw.command("dice")
def dice(
    witness: Annotated[list[str], typer.Option(help="Name of a witness; give two or more.")],
    evidence: EvidenceOption = None,
    campaign: CampaignOption = None,
) -> None:
    """Type the digits that were read out, twice."""
    digits = typer.prompt("Digits")
    again = typer.prompt("Once more")
    hashes = [f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in evidence or []]
    body = {"digits": digits, "digits_again": again, "witnesses": witness, "evidence": hashes}
    show_one(ask("lottery", "POST", f"campaigns/{campaign_or_only(campaign)}/dice", body), as_json=False)


@draw.command("beacon")
def beacon(signature: str, campaign: CampaignOption = None) -> None:
    """Give the beacon's signature (hex) of the round that the manifest names; any relay's will do."""
    body = {"signature": signature}
    show_one(ask("lottery", "POST", f"campaigns/{campaign_or_only(campaign)}/beacon", body), as_json=False)


@draw.command("transcript")
def transcript(file: Path, campaign: CampaignOption = None) -> None:
    """Write the transcript to FILE; check it with `./kuji verify FILE`."""
    file.write_bytes(call_public("lottery", f"campaigns/{campaign_or_only(campaign)}/transcript").content)
    typer.echo(str(file))


@draw.command("dry-run")
def dry_run(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """Draw the list as it is now with a throw-away key: counts only, nothing is kept."""
    shown = ask("lottery", "GET", f"campaigns/{campaign_or_only(campaign)}/dry-run")
    columns = ("id", "capacity", "asked", "won", "seats", "waiting", "by_group_size")
    show(shown["classes"], columns, as_json=as_json, empty="no classes")


@draw.command("redraw")
def redraw(
    reason: Annotated[str, typer.Option(help="Why; it stands in public for ever.")],
    approved_by: Annotated[str, typer.Option(help="The second person.")],
    *,
    reopen: Annotated[bool, typer.Option(help="Entries were wrong: verdicts may come again.")] = False,
    campaign: CampaignOption = None,
) -> None:
    """Give the present draw up, in public, and begin another with a new list and chance of its own."""
    body = {"reason": reason, "approved_by": approved_by, "reopen": reopen}
    show_one(ask("lottery", "POST", f"campaigns/{campaign_or_only(campaign)}/redraw", body), as_json=False)


@draw.command("proof")
def proof(receipt: str, file: Path, campaign: CampaignOption = None) -> None:
    """Write the proof that a receipt number's entry is on the frozen list to FILE."""
    path = f"campaigns/{campaign_or_only(campaign)}/receipts/{receipt}/proof"
    file.write_bytes(call_public("lottery", path).content)
    typer.echo(str(file))


@draw.command("stamp")
def stamp(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What the authority answered.")],
    kind: Annotated[str, typer.Option(help="rfc3161, or ots.")] = "rfc3161",
    campaign: CampaignOption = None,
) -> None:
    """Attach a time stamp to the manifest; it is published as it is."""
    body = {"kind": kind, "content": base64.b64encode(file.read_bytes()).decode("ascii")}
    show_one(ask("lottery", "POST", f"campaigns/{campaign_or_only(campaign)}/stamps", body), as_json=False)
