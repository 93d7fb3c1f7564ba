"""Closing a campaign: return to the ward, the ward's confirmation, erasure, certificate."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.api import ask, call, campaign_or_only
from deploy.cli.output import AsJson, CampaignOption, show_one

close_out = typer.Typer(help="Return, erase, certify.", no_args_is_help=True)

ApprovalOption = Annotated[str, typer.Option("--approval", help="Number of the approval, a-….")]


@close_out.command("ward-key")
def ward_key(
    recipient: Annotated[str, typer.Argument(help="The ward's age public key, age1….")],
    approval: ApprovalOption,
    campaign: CampaignOption = None,
) -> None:
    """Fix the key to which returns are encrypted (an approval of the kind `ward-key`)."""
    path = f"campaigns/{campaign_or_only(campaign)}/ward-key"
    show_one(ask("vault", "POST", path, {"recipient": recipient, "approval": approval}), as_json=False)


@close_out.command("return")
def give_back(
    file: Annotated[Path, typer.Argument(help="Where to write the encrypted package.")],
    approval: ApprovalOption,
    campaign: CampaignOption = None,
) -> None:
    """Make the return package, encrypted to the ward's key, and fetch it."""
    path = f"campaigns/{campaign_or_only(campaign)}"
    made = ask("vault", "POST", f"{path}/return-package", {"approval": approval})
    file.write_bytes(call("vault", "GET", f"{path}/return-package/{made['id']}").content)
    show_one({**made, "file": str(file)}, as_json=False)


@close_out.command("confirm")
def confirm(
    sha256: Annotated[str, typer.Argument(help="SHA-256 of the encrypted file.")],
    code: Annotated[str, typer.Argument(help="受領コード of README.txt inside the package.")],
    campaign: CampaignOption = None,
) -> None:
    """Confirm as the ward that the package arrived and opens."""
    path = f"campaigns/{campaign_or_only(campaign)}/return-confirmation"
    show_one(ask("vault", "POST", path, {"sha256": sha256, "code": code}), as_json=False)


@close_out.command("erase")
def erase(
    approval: ApprovalOption,
    typed: Annotated[str, typer.Option("--campaign-id", prompt="Campaign to erase, its id in full")],
    campaign: CampaignOption = None,
) -> None:
    """Destroy the campaign's key and erase it everywhere. There is no way back."""
    body = {"approval": approval, "campaign_typed": typed}
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
