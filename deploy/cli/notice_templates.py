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
    approval: Annotated[str, typer.Argument(help="Number of an approval of the kind release-templates.")],
    campaign: CampaignOption = None,
) -> None:
    """Release the templates that the approval names: from now on notices are written from these versions."""
    templates = ask("vault", "GET", f"approvals/{approval}")["document"]["params"].get("templates", [])
    named = [{"kind": one["kind"], "channel": one["channel"]} for one in templates]
    answer = ask("vault", "POST", f"{_path(campaign)}/releases", {"approval": approval, "templates": named})
    typer.echo(f"released: {len(answer['released'])}")


def set_sha256(rows: list[JsonObject]) -> str:
    """Return the SHA-256 (hex) over the SHA-256 of each template, each as a line."""
    return hashlib.sha256("".join(f"{row['sha256']}\n" for row in rows).encode("ascii")).hexdigest()
