"""The draw by command: look at it, freeze it, give it dice or a beacon value, fetch its transcript."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.doors import ask, call, campaign_or_only
from deploy.cli.showing import ActorOption, AsJson, CampaignOption, show_one

draw = typer.Typer(help="The draw of a campaign.", no_args_is_help=True)


@draw.command("status")
def status(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """Where the draw stands, and what it waits for."""
    show_one(ask("lottery", "GET", f"campaigns/{campaign_or_only(campaign)}/draw"), as_json=as_json)


@draw.command("freeze")
def freeze(
    actor: ActorOption,
    override_reason: Annotated[str | None, typer.Option(help="Freeze an incomplete list; stands in public.")] = None,
    approved_by: Annotated[str | None, typer.Option(help="Second person, needed for an override.")] = None,
    campaign: CampaignOption = None,
) -> None:
    """Fix the list now instead of at the draw time."""
    body = {"actor": actor, "override_reason": override_reason, "approved_by": approved_by}
    show_one(ask("lottery", "POST", f"campaigns/{campaign_or_only(campaign)}/freeze", body), as_json=False)


@draw.command("dice")
def dice(
    actor: ActorOption,
    witness: Annotated[list[str], typer.Option(help="Name of a witness; give two or more.")],
    campaign: CampaignOption = None,
) -> None:
    """Type the digits that were read out, twice."""
    digits = typer.prompt("Digits")
    again = typer.prompt("Once more")
    body = {"digits": digits, "digits_again": again, "witnesses": witness, "actor": actor}
    show_one(ask("lottery", "POST", f"campaigns/{campaign_or_only(campaign)}/dice", body), as_json=False)


@draw.command("beacon")
def beacon(signature: str, actor: ActorOption, campaign: CampaignOption = None) -> None:
    """Give the beacon's signature (hex) of the round that the manifest names; any relay's will do."""
    body = {"signature": signature, "actor": actor}
    show_one(ask("lottery", "POST", f"campaigns/{campaign_or_only(campaign)}/beacon", body), as_json=False)


@draw.command("transcript")
def transcript(file: Path, campaign: CampaignOption = None) -> None:
    """Write the transcript to FILE; check it with `./kuji verify FILE`."""
    file.write_bytes(call("lottery", "GET", f"campaigns/{campaign_or_only(campaign)}/transcript").content)
    typer.echo(str(file))
