"""Closing a campaign: return to the ward, the ward's confirmation, erasure, certificate."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.api import ask, call, campaign_or_only
from deploy.cli.output import AsJson, CampaignOption, show_one

close_out = typer.Typer(help="Return, erase, certify.", no_args_is_help=True)

Approver = Annotated[str, typer.Option("--approved-by", help="Staff id of a second, different person.")]


@close_out.command("return")
def give_back(
    recipient: Annotated[str, typer.Argument(help="The ward's age public key, age1….")],
    file: Annotated[Path, typer.Argument(help="Where to write the encrypted package.")],
    approved_by: Approver,
    campaign: CampaignOption = None,
) -> None:
    """Make the return package, encrypted to the ward's key, and fetch it."""
    path = f"campaigns/{campaign_or_only(campaign)}"
    body = {"recipient": recipient, "approved_by": approved_by}
    made = ask("vault", "POST", f"{path}/return-package", body)
    file.write_bytes(call("vault", "GET", f"{path}/return-package/{made['id']}").content)
    show_one({**made, "file": str(file)}, as_json=False)


@close_out.command("confirm")
def confirm(sha256: str, campaign: CampaignOption = None) -> None:
    """Record that the ward has the package with this SHA-256."""
    body = {"sha256": sha256}
    path = f"campaigns/{campaign_or_only(campaign)}/return-confirmation"
    show_one(ask("vault", "POST", path, body), as_json=False)


@close_out.command("erase")
def erase(
    approved_by: Approver,
    responsible: Annotated[str, typer.Option(help="Staff id of the responsible handler.")],
    reason: Annotated[str | None, typer.Option(help="Code; only needed before the close-out date.")] = None,
    campaign: CampaignOption = None,
) -> None:
    """Destroy the campaign's key and erase it everywhere. There is no way back."""
    body = {"approved_by": approved_by, "responsible": responsible, "reason": reason}
    show_one(ask("vault", "POST", f"campaigns/{campaign_or_only(campaign)}/erasure", body), as_json=False)


@close_out.command("status")
def status(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """Show the state of the erasure, and the services that it waits for."""
    show_one(ask("vault", "GET", f"campaigns/{campaign_or_only(campaign)}/erasure"), as_json=as_json)


@close_out.command("certificate")
def certificate(folder: Path, campaign: CampaignOption = None) -> None:
    """Write certificate.json and certificate.pdf into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    path = f"campaigns/{campaign_or_only(campaign)}"
    for name, part in (("certificate.json", "certificate"), ("certificate.pdf", "certificate.pdf")):
        (folder / name).write_bytes(call("vault", "GET", f"{path}/{part}").content)
        typer.echo(str(folder / name))
