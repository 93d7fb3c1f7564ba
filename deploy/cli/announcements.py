"""Commands for announcements: make one, and list them with the states of their notices."""

from typing import Annotated

import typer

from deploy.cli.api import ask, campaign_or_only
from deploy.cli.approvals import ApprovalOption, executed_approval, request_approval
from deploy.cli.output import AsJson, CampaignOption, show, show_one


def announce(
    kind: Annotated[str, typer.Argument(help="Kind of announcement, e.g. cancelled-by-weather or entrance-changed.")],
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of the released text; repeat it.")] = None,
    class_id: Annotated[str | None, typer.Option("--class", help="Only to all who hold this class.")] = None,
    campaign: CampaignOption = None,
    approval: ApprovalOption = None,
    *,
    again: Annotated[bool, typer.Option(help="Send an announcement that was made before once more.")] = False,
) -> None:
    """Announce to everybody, or to all who hold a class: by mail, and by card for those without mail.

    Without an approval this requests one, signed with your password and a new code, and prints its number; run the
    same command with `--approval NUMBER` once another person has approved it. The text is the released template. A
    class that is named is also the parameter `class_id` of the text.
    """
    from shared.approvals.params import announcement_params  # noqa: PLC0415

    params: dict[str, str | int] = dict(_parse(text) for text in param or [])
    if class_id is not None:
        params.setdefault("class_id", class_id)
    if approval is None:
        named = announcement_params(kind, class_id, params, again=again)
        typer.echo(request_approval("release-notices", campaign_or_only(campaign), named, "announcement"))
        return
    document = executed_approval(approval)
    body = {"kind": kind, "class_id": class_id, "params": params, "again": again, "approval": document}
    show_one(ask("notifier", "POST", f"campaigns/{campaign_or_only(campaign)}/announcements", body), as_json=False)


def list_announcements(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """List announcements with the number of their recipients and the states of their notices."""
    rows = ask("notifier", "GET", f"campaigns/{campaign_or_only(campaign)}/announcements")["announcements"]
    columns = ("number", "kind", "class_id", "recipients", "is_created", "states", "unmatched_reports")
    show(rows, columns, as_json=as_json, empty="no announcements")


def _parse(text: str) -> tuple[str, str | int]:
    name, separator, value = text.partition("=")
    if not separator:
        raise typer.BadParameter("give NAME=VALUE")
    return name, int(value) if value.isdecimal() else value
