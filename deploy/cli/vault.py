"""Commands for the vault: fetch pages to print, seal it, read its public key."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.api import ask, ask_all, call, call_public, campaign_or_only
from deploy.cli.output import AsJson, CampaignOption, show, show_one
from shared.files import write_atomic

prints = typer.Typer(help="Postcards to print.", no_args_is_help=True)


_COLUMNS = ("id", "state", "cards", "ordered", "fetched_by", "counted_by", "posting")


@prints.command("list")
def list_batches(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """List batches of postcards: cards made, and who fetched, counted and posted them."""
    rows = ask_all("notifier", f"campaigns/{campaign_or_only(campaign)}/print-batches", "batches")
    show(rows, _COLUMNS, as_json=as_json, empty="nothing to print")


@prints.command("failed")
def list_failed(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """List the vault's batches with the cards that could not be set, and why."""
    rows = ask_all("vault", f"campaigns/{campaign_or_only(campaign)}/print-batches", "batches")
    show(rows, ("id", "pages", "printed", "failed", "printed_at"), as_json=as_json, empty="nothing was printed")


@prints.command("fetch")
def fetch(
    batch_id: str,
    file: Annotated[Path, typer.Argument(help="Where to write the PDF. It holds names: print it, then remove it.")],
    approval: Annotated[str, typer.Option(help="Number of an approval of the kind print-pdf.")],
    campaign: CampaignOption = None,
) -> None:
    """Write the PDF of a batch to FILE, readable by you only; notifier and audit log record the fetch."""
    path = f"campaigns/{campaign_or_only(campaign)}/print-batches/{batch_id}"
    call("notifier", "POST", f"{path}/fetches", {})
    write_atomic(file, call("vault", "POST", f"{path}/pdf", {"approval": approval}).content)
    typer.echo(str(file))


@prints.command("count")
def count(
    batch_id: str,
    pieces: Annotated[int, typer.Argument(help="Cards that you counted yourself.")],
    campaign: CampaignOption = None,
) -> None:
    """Record how many printed cards you counted. A second person does the same before the batch is posted."""
    _record(batch_id, "counts", {"pieces": pieces}, campaign)


@prints.command("posted")
def posted(
    batch_id: str,
    office: Annotated[str, typer.Argument(help="Post office that took the cards.")],
    day: Annotated[str, typer.Argument(help="Day, for example 2018-06-01.")],
    campaign: CampaignOption = None,
) -> None:
    """Record that a counted batch was handed to a post office."""
    _record(batch_id, "posting", {"office": office, "posted_on": day}, campaign)


@prints.command("reorder")
def reorder(batch_id: str, campaign: CampaignOption = None) -> None:
    """Order the cards of a batch in the state `mismatch` again."""
    _record(batch_id, "reorder", {}, campaign)


def _record(batch_id: str, act: str, body: dict[str, object], campaign: str | None) -> None:
    path = f"campaigns/{campaign_or_only(campaign)}/print-batches/{batch_id}/{act}"
    show_one(ask("notifier", "POST", path, body), as_json=False)


def seal() -> None:
    """Seal the vault at once: nothing is decrypted until it is started again with its passphrase."""
    call("vault", "POST", "lock")
    typer.echo("sealed; what needs the vault now waits, and is not lost")


def signing_key() -> None:
    """Print the vault's public signing key, to compare certificates with (`./kuji verify FILE --key …`)."""
    typer.echo(call_public("vault", "signing-key").json()["public_key"])
