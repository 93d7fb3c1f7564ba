"""Commands for the texts of notices: list, preview and release templates."""

import hashlib
from typing import Annotated

import typer

from deploy.cli.api import ask, campaign_or_only
from deploy.cli.output import AsJson, CampaignOption, show, show_one
from shared.json_types import JsonObject

_COLUMNS = ("kind", "channel", "state", "own", "sha256", "mistakes")
KindArgument = Annotated[str, typer.Argument(help="Kind of the notice, e.g. result.")]
ChannelArgument = Annotated[str, typer.Argument(help="mail or card")]


def _path(campaign: str | None) -> str:
    return f"campaigns/{campaign_or_only(campaign)}/notice-templates"


def list_templates(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """List the templates with the SHA-256 of each file, and whether this version is released."""
    rows = ask("vault", "GET", _path(campaign))["templates"]
    show(rows, _COLUMNS, as_json=as_json, empty="no templates")
    if not as_json:
        typer.echo(f"all of them: {set_sha256(rows)}")


def preview(
    kind: KindArgument, channel: ChannelArgument, campaign: CampaignOption = None, *, as_json: AsJson = False
) -> None:
    """Print the texts that a template makes for made-up applicants, and its SHA-256."""
    answer = ask("vault", "GET", f"{_path(campaign)}/{kind}/{channel}")
    if as_json:
        show_one(answer, as_json=True)
        return
    for sample in answer["samples"]:
        typer.echo(f"──── {sample['title']}\n{sample['subject']}\n\n{sample['text']}")
    for mistake in answer["mistakes"]:
        typer.echo(f"mistake: {mistake}")
    typer.echo(f"sha256: {answer['sha256']}")


def release(
    kind: Annotated[str, typer.Argument(help="Kind of the notice, or all.")],
    channel: Annotated[str, typer.Argument(help="mail or card; both if KIND is all")],
    sha256: Annotated[str, typer.Argument(help="SHA-256 of the version that you looked at; of all: the last line.")],
    campaign: CampaignOption = None,
) -> None:
    """Release a template: from now on notices of this kind and channel are written from this version."""
    if (kind, channel) == ("all", "both"):
        _release_all(sha256, campaign)
        return
    body: JsonObject = {"sha256": sha256}
    show_one(ask("vault", "POST", f"{_path(campaign)}/{kind}/{channel}/releases", body), as_json=False)


def _release_all(sha256: str, campaign: str | None) -> None:
    """Release each template if all of them are the versions that the handler looked at."""
    rows = ask("vault", "GET", _path(campaign))["templates"]
    if set_sha256(rows) != sha256:
        raise typer.BadParameter("the templates are not the versions that you looked at; list them again")
    for row in rows:
        path = f"{_path(campaign)}/{row['kind']}/{row['channel']}/releases"
        ask("vault", "POST", path, {"sha256": row["sha256"]})
    typer.echo(f"released: {len(rows)}")


def set_sha256(rows: list[JsonObject]) -> str:
    """Return the SHA-256 (hex) over the SHA-256 of each template, each as a line."""
    return hashlib.sha256("".join(f"{row['sha256']}\n" for row in rows).encode("ascii")).hexdigest()
