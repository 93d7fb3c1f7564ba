"""The draw by command: look at it, freeze it, give it digits or a beacon value, fetch its transcript."""

import base64
import hashlib
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.api import ask, call_public, campaign_or_only
from deploy.cli.approvals import ApprovalOption, executed_approval, request_approval
from deploy.cli.output import AsJson, CampaignOption, show, show_one
from shared.json_types import JsonObject

draw = typer.Typer(help="The draw of a campaign.", no_args_is_help=True)


@draw.command("status")
def status(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """Show the state of the draw, and the things that it waits for."""
    show_one(ask("lottery", "GET", f"campaigns/{campaign_or_only(campaign)}/draw"), as_json=as_json)


@draw.command("freeze")
def freeze(
    override_reason: Annotated[str | None, typer.Option(help="Freeze an incomplete list; stands in public.")] = None,
    approval: ApprovalOption = None,
    because: Annotated[str, typer.Option(help="undecided-agreed, count-agreed or source-lost.")] = "undecided-agreed",
    campaign: CampaignOption = None,
) -> None:
    """Fix the list now instead of at the draw time.

    An incomplete list needs an approval: with `--override-reason` alone this requests one, signed with your password
    and a new code, and prints its number; run the same command with `--approval NUMBER` once it is approved.
    """
    name = campaign_or_only(campaign)
    if override_reason is not None and approval is None:
        kind = "freeze-incomplete"
        typer.echo(request_approval(kind, name, _approval_params(name, kind), because))
        return
    body: JsonObject = {}
    if override_reason is not None and approval is not None:
        body = {"override_reason": override_reason, "approval": executed_approval(approval)}
    show_one(ask("lottery", "POST", f"campaigns/{name}/freeze", body), as_json=False)


@draw.command("dice")
def dice(campaign: CampaignOption = None) -> None:
    """Enter your twenty digits as a witness, typed twice. They cannot be changed afterwards."""
    name = campaign_or_only(campaign)
    *_, ceremony = ask("vault", "GET", f"campaigns/{name}/dice")["ceremonies"] or [None]
    if ceremony is None:
        raise typer.BadParameter("the list is not frozen yet; see ./kuji draw status")
    digits = typer.prompt("Digits")
    if typer.prompt("Once more") != digits:
        raise typer.BadParameter("the two typings differ; read the digits again")
    shown = ask("vault", "POST", f"campaigns/{name}/dice/{ceremony['draw']}", {"digits": digits})
    show_one(shown, as_json=False)


@draw.command("evidence")
def evidence(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Photographs or recordings.")],
    campaign: CampaignOption = None,
) -> None:
    """Put the hashes of photographs or recordings of the dice into the transcript; the files stay here."""
    hashes = [f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    path = f"campaigns/{campaign_or_only(campaign)}/evidence"
    show_one(ask("lottery", "POST", path, {"evidence": hashes}), as_json=False)


@draw.command("later-round")
def later_round(
    approval: ApprovalOption = None,
    because: Annotated[str, typer.Option(help="round-known or digits-missing.")] = "digits-missing",
    campaign: CampaignOption = None,
) -> None:
    """Give the present draw up, in public, and begin the next with a later round of the beacon.

    Without an approval this requests one and prints its number; run the same command with `--approval NUMBER` once
    another person has approved it.
    """
    name = campaign_or_only(campaign)
    if approval is None:
        kind = "later-round"
        typer.echo(request_approval(kind, name, _approval_params(name, kind), because))
        return
    body = {"approval": executed_approval(approval)}
    show_one(ask("lottery", "POST", f"campaigns/{name}/later-round", body), as_json=False)


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
    approval: ApprovalOption = None,
    because: Annotated[str, typer.Option(help="wrong-list, wrong-rules or dice-invalid.")] = "wrong-list",
    *,
    reopen: Annotated[bool, typer.Option(help="Entries were wrong: verdicts may come again.")] = False,
    campaign: CampaignOption = None,
) -> None:
    """Give the present draw up, in public, and begin another with a new list and chance of its own.

    Without an approval this requests one and prints its number; run the same command with `--approval NUMBER` once
    another person has approved it. An approval does not hold for a draw that has advanced since.
    """
    name = campaign_or_only(campaign)
    if approval is None:
        params = {**_approval_params(name, "redraw"), "reopen": reopen}
        typer.echo(request_approval("redraw", name, params, because))
        return
    body = {"reason": reason, "reopen": reopen, "approval": executed_approval(approval)}
    show_one(ask("lottery", "POST", f"campaigns/{name}/redraw", body), as_json=False)


@draw.command("further-round")
def further_round(approval: ApprovalOption = None, campaign: CampaignOption = None) -> None:
    """Draw the seats that stayed free and that nobody waits for once more; places that were won stay.

    Without an approval this requests one and prints its number; run the same command with `--approval NUMBER` once
    another person has approved it. An approval does not hold after a place has moved.
    """
    name = campaign_or_only(campaign)
    if approval is None:
        seats = ask("lottery", "GET", f"campaigns/{name}/further-round")
        if not seats["possible"]:
            raise typer.BadParameter(f"no further round now: {seats.get('obstacle', seats['state'])}")
        typer.echo(request_approval("further-round", name, seats["approval_params"], "places-free"))
        return
    body = {"approval": executed_approval(approval)}
    show_one(ask("lottery", "POST", f"campaigns/{name}/further-round", body), as_json=False)


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


def _approval_params(campaign: str, kind: str) -> JsonObject:
    """Return the parameters of an approval for the draw as it is now."""
    params = ask("lottery", "GET", f"campaigns/{campaign}/draw")["approval_params"]
    if kind not in params:
        raise typer.BadParameter("the list is no longer open")
    named: JsonObject = params[kind]
    return named
