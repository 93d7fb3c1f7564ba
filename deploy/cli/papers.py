"""Fax and post from the office's own machine: seal and send scans, run the webhook for hosted fax services."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deploy.cli.api import ask, call_public, campaign_or_only, read_record
from deploy.cli.output import AsJson, CampaignOption, show
from deploy.local.paths import STATE

if TYPE_CHECKING:
    from deploy.edge.settings import EdgeSettings

_SECRET_BYTES = 32

SpoolOption = Annotated[Path, typer.Option("--spool", envvar="KUJI_SPOOL", help="Folder of what is sealed and waits.")]


def seal_paper(
    files: Annotated[list[Path] | None, typer.Argument(help="TIFF, PDF, JPEG or PNG.")] = None,
    *,
    channel: Annotated[str, typer.Option(help="fax or post")],
    serial: Annotated[str | None, typer.Option(help="Number stamped on the paper; else the file's name.")] = None,
    watch: Annotated[Path | None, typer.Option(help="Folder a scanner writes into.")] = None,
    campaign: CampaignOption = None,
    spool: SpoolOption = STATE / "spool",
) -> None:
    """Seal faxes and scans for the vault and send them; a clear file is removed after its receipt."""
    from deploy.edge.command import run_tool  # noqa: PLC0415

    raise typer.Exit(run_tool(_settings(campaign, spool), files or [], _channel(channel), serial, watch))


def fax_webhook(
    secret_file: Annotated[Path, typer.Option(help="File with the secret shared with the fax service.")],
    host: Annotated[str, typer.Option(help="Address to listen on; TLS belongs in front of it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8110,
    campaign: CampaignOption = None,
    spool: SpoolOption = STATE / "spool",
) -> None:
    """Take faxes that a hosted service pushes. That service sees them in the clear: docs/operations.md."""
    import uvicorn  # noqa: PLC0415

    from deploy.edge.intake_client import IntakeClient  # noqa: PLC0415
    from deploy.edge.sender import Sender  # noqa: PLC0415
    from deploy.edge.spool import Spool  # noqa: PLC0415
    from deploy.edge.webhook import build  # noqa: PLC0415

    secret = secret_file.read_bytes().strip()
    if len(secret) < _SECRET_BYTES:
        raise typer.BadParameter(f"the secret needs at least {_SECRET_BYTES} bytes: openssl rand -hex 32")
    settings = _settings(campaign, spool)
    with IntakeClient(settings) as client:
        app = build(Sender(settings, Spool(settings.spool), client), secret)
        uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning")


def list_papers(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """List papers in the vault's inbox: those that wait to be keyed, and those put aside."""
    found = ask("vault", "GET", f"campaigns/{campaign_or_only(campaign)}/papers")
    show(found["papers"], ("serial", "channel", "received_at", "state", "reason", "id"), as_json=as_json, empty="none")


def _settings(campaign: str | None, spool: Path) -> "EdgeSettings":
    """Read the settings from the environment, else from the local installation, with the key from the vault itself."""
    from deploy.edge.settings import EdgeSettings, NotSetUpError  # noqa: PLC0415

    if "KUJI_INTAKE_URL" in os.environ:
        return EdgeSettings.read({**os.environ, "KUJI_SPOOL": str(spool)})
    record = read_record()
    if "paper_token_file" not in record:
        raise NotSetUpError("this installation's record names no paper token; set KUJI_INTAKE_URL and its fellows")
    return EdgeSettings.read(
        {
            "KUJI_INTAKE_URL": record["services"]["intake"]["url"],
            "KUJI_CAMPAIGN": campaign_or_only(campaign),
            "KUJI_PAPER_TOKEN_FILE": record["paper_token_file"],
            "KUJI_SIGNING_KEY": call_public("vault", "signing-key").json()["public_key"],
            "KUJI_SPOOL": str(spool),
        }
    )


def _channel(text: str) -> Literal["fax", "post"]:
    if text == "fax":
        return "fax"
    if text == "post":
        return "post"
    raise typer.BadParameter("fax or post", param_hint="--channel")
