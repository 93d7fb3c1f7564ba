"""`./kuji approvals`: request, sign, refuse and hand out approvals. The same is at `/approve`, there with passkeys."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from deploy.cli.api import ask, campaign_or_only
from deploy.cli.output import AsJson, CampaignOption, show, show_one
from shared.json_types import JsonObject

approvals = typer.Typer(help="Acts of two people.", no_args_is_help=True)

_COLUMNS: Final = ("id", "kind", "campaign", "requested_by", "expires", "state")
Number = Annotated[str, typer.Argument(help="Number of the approval, a-….")]
ApprovalOption = Annotated[
    str | None, typer.Option("--approval", help="Number of the approval; without it one is requested.")
]
Password = Annotated[str, typer.Option(prompt=True, hide_input=True, help="Your password, again.")]
Code = Annotated[str, typer.Option(prompt=True, help="A new one-time code of your app.")]


@approvals.command("list")
def list_waiting(*, as_json: AsJson = False) -> None:
    """List the approvals that wait for you."""
    rows = [_row(view) for view in ask("vault", "GET", "approvals")["waiting"]]
    show(rows, _COLUMNS, as_json=as_json, empty="nothing waits for you")


@approvals.command("show")
def show_approval(approval: Number, *, as_json: AsJson = False) -> None:
    """Show one approval: parameters, signatures, and the roles that it waits for."""
    show_one(ask("vault", "GET", f"approvals/{approval}"), as_json=as_json)


@approvals.command("request")
def request(
    kind: Annotated[str, typer.Argument(help="Kind, e.g. return-package; docs/architecture.md has the table.")],
    reason: Annotated[str, typer.Argument(help="One of the kind's reasons, e.g. return-due.")],
    password: Password,
    code: Code,
    params: Annotated[str, typer.Option(help="JSON; the vault fills in hashes and counts of its own acts.")] = "{}",
    campaign: CampaignOption = None,
) -> None:
    """Request an approval and sign it; prints its number."""
    body: JsonObject = {"kind": kind, "campaign": campaign_or_only(campaign), "params": json.loads(params)}
    made = ask("vault", "POST", "approvals", {**body, "reason": reason})["document"]
    _sign(made["id"], password, code)
    typer.echo(made["id"])


@approvals.command("sign")
def sign(approval: Number, password: Password, code: Code) -> None:
    """Approve a request of another person."""
    typer.echo(_sign(approval, password, code))


@approvals.command("refuse")
def refuse(approval: Number) -> None:
    """Refuse a request of another person, or withdraw your own."""
    typer.echo(ask("vault", "POST", f"approvals/{approval}/refusal", {})["state"])


@approvals.command("document")
def document(approval: Number, file: Annotated[Path, typer.Argument(help="File to write.")]) -> None:
    """Write the executed document of your approved request, for a command of lottery or notifier."""
    file.write_text(json.dumps(executed_approval(approval)), "utf-8")
    typer.echo(str(file))


def executed_approval(approval: str) -> JsonObject:
    """Return the executed document of the own approved request, for lottery or notifier."""
    executed: JsonObject = ask("vault", "POST", f"approvals/{approval}/document", {})
    return executed


def request_approval(kind: str, campaign: str, params: JsonObject, reason: str) -> str:
    """Request an approval, signed with password and code that are asked for; return its number."""
    password = typer.prompt("Your password, again", hide_input=True)
    code = typer.prompt("A new one-time code of your app")
    body = {"kind": kind, "campaign": campaign, "params": params, "reason": reason}
    number = str(ask("vault", "POST", "approvals", body)["document"]["id"])
    _sign(number, password, code)
    return number


def _sign(approval: str, password: str, code: str) -> str:
    body = {"password": password, "code": code}
    return str(ask("vault", "POST", f"approvals/{approval}/signatures", body)["state"])


def _row(view: JsonObject) -> JsonObject:
    return {**view["document"], "state": view["state"]}
