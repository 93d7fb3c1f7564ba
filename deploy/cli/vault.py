"""Commands for the vault: fetch pages to print, seal it, read its public key."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.api import ask, call, campaign_or_only
from deploy.cli.output import AsJson, CampaignOption, show
from shared.files import write_atomic

prints = typer.Typer(help="Postcards to print.", no_args_is_help=True)


@prints.command("list")
def list_batches(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """List batches of postcards: pages, cards, and cards that could not be set."""
    rows = ask("vault", "GET", f"campaigns/{campaign_or_only(campaign)}/print-batches")["batches"]
    show(rows, ("id", "pages", "printed", "failed", "printed_at"), as_json=as_json, empty="nothing to print")


@prints.command("fetch")
def fetch(
    batch_id: str,
    file: Annotated[Path, typer.Argument(help="Where to write the PDF. It holds names: print it, then remove it.")],
    campaign: CampaignOption = None,
) -> None:
    """Write the PDF of a batch to FILE, readable by you only; the vault's audit log says that it was fetched."""
    path = f"campaigns/{campaign_or_only(campaign)}/print-batches/{batch_id}/pdf"
    write_atomic(file, call("vault", "GET", path).content)
    typer.echo(str(file))


def seal() -> None:
    """Seal the vault at once: nothing is decrypted until it is started again with its passphrase."""
    call("vault", "POST", "lock")
    typer.echo("sealed; what needs the vault now waits, and is not lost")


def signing_key() -> None:
    """Print the vault's public signing key, to compare certificates with (`./kuji verify FILE --key …`)."""
    typer.echo(ask("vault", "GET", "signing-key")["public_key"])
