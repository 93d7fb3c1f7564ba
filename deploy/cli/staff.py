"""Staff work until there are pages for it: held applications, parked messages, notices that need a person."""

from typing import Annotated

import typer

from deploy.cli.api import ask, ask_all, call, campaign_or_only
from deploy.cli.output import AsJson, CampaignOption, show, show_one
from shared.service_names import SERVICES

held = typer.Typer(help="Applications that wait for a person's decision.", no_args_is_help=True)
parked = typer.Typer(help="Messages that failed for good and wait for a person.", no_args_is_help=True)
notices = typer.Typer(help="Notices and their states.", no_args_is_help=True)

ServiceOption = Annotated[str | None, typer.Option("--service", help=f"One of {', '.join(SERVICES)}.")]


@held.command("list")
def list_held(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """List held applications with receipt, doubts, and the application that seems to be of the same person."""
    answer = ask("vault", "GET", f"campaigns/{campaign_or_only(campaign)}/held")
    rows = answer["held"]
    columns = ("application_id", "receipt", "channel", "received_at", "doubts", "match")
    show(rows, columns, as_json=as_json, empty="nothing is held")
    if (more := answer["waiting"] - len(rows)) > 0 and not as_json:
        typer.echo(f"and {more} more; they are listed when these are decided")


@held.command("accept")
def accept(
    application_id: str,
    reason: Annotated[str, typer.Option(help="Code, e.g. namesake.")] = "namesake",
    campaign: CampaignOption = None,
) -> None:
    """Let an application into the draw."""
    _decide(application_id, "accept", reason, campaign)


@held.command("reject")
def reject(
    application_id: str,
    reason: Annotated[str, typer.Option(help="Code, e.g. duplicate; the applicant is notified of it.")] = "duplicate",
    campaign: CampaignOption = None,
) -> None:
    """Keep an application out of the draw; the applicant is notified of the reason."""
    _decide(application_id, "reject", reason, campaign)


def _decide(application_id: str, decision: str, reason: str, campaign: str | None) -> None:
    body = {"decision": decision, "reason": reason}
    path = f"campaigns/{campaign_or_only(campaign)}/held/{application_id}"
    show_one(ask("vault", "POST", path, body), as_json=False)


@parked.command("list")
def list_parked(service: ServiceOption = None, *, as_json: AsJson = False) -> None:
    """List parked messages of one service, or of all."""
    found = {  # once each: a list begins anew where a message was removed meanwhile at which a page ended
        (name, row["id"]): {"service": name, **row}
        for name in ([service] if service else SERVICES)
        for row in ask_all(name, "parked", "messages")
    }
    rows = list(found.values())
    columns = ("service", "id", "event", "origin", "attempts", "error", "at")
    show(rows, columns, as_json=as_json, empty="nothing is parked")


@parked.command("replay")
def replay(service: str, message_id: str) -> None:
    """Give a message to its consumer once more."""
    call(service, "POST", f"parked/{message_id}/replay")
    typer.echo("replayed")


@parked.command("discard")
def discard(service: str, message_id: str) -> None:
    """Throw a message away for good."""
    call(service, "DELETE", f"parked/{message_id}")
    typer.echo("discarded")


@notices.command("list")
def list_notices(
    state: Annotated[str | None, typer.Option(help="Only this state, e.g. unknown.")] = None,
    campaign: CampaignOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List notices by state; the notifier knows no names and no addresses."""
    query = f"?state={state}" if state else ""
    rows = ask_all("notifier", f"campaigns/{campaign_or_only(campaign)}/notices{query}", "notices")
    show(rows, ("id", "receipt", "kind", "channel", "way", "state", "code"), as_json=as_json, empty="no notices")


@notices.command("summary")
def summarise_notices(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """Show the counts by channel and state, how many applicants are still to be told, and the deadline."""
    show_one(ask("notifier", "GET", f"campaigns/{campaign_or_only(campaign)}/summary"), as_json=as_json)


@notices.command("telephone")
def list_to_telephone(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """List the notices that only a telephone call brings: telephone, then `notices resolve ID phoned`."""
    rows = ask_all("notifier", f"campaigns/{campaign_or_only(campaign)}/telephone-list", "notices")
    show(rows, ("id", "receipt", "kind", "state", "return_reason"), as_json=as_json, empty="nobody to telephone")


@notices.command("returned")
def record_return(
    receipt: Annotated[str, typer.Argument(help="Receipt number on the card.")],
    reason: Annotated[str, typer.Argument(help="unknown-address, moved, absent, refused, or other.")],
    notice: Annotated[str | None, typer.Option(help="Notice id, if several cards of the receipt are posted.")] = None,
    campaign: CampaignOption = None,
) -> None:
    """Record a card that came back; its applicant is then on the telephone list."""
    body = {"receipt": receipt, "reason": reason, **({"notice": notice} if notice else {})}
    show_one(ask("notifier", "POST", f"campaigns/{campaign_or_only(campaign)}/returns", body), as_json=False)


@notices.command("resolve")
def resolve(
    notice_id: str,
    decision: Annotated[str, typer.Argument(help="sent, post, phoned, or again")],
    campaign: CampaignOption = None,
) -> None:
    """Decide on a notice: its mail arrived, a card goes out, the applicant was telephoned, or mail it once more."""
    path = f"campaigns/{campaign_or_only(campaign)}/notices/{notice_id}/resolve"
    show_one(ask("notifier", "POST", path, {"decision": decision}), as_json=False)
