"""Commands for places after the draw: list them, record an answer given by telephone, correct a mistake."""

from typing import Annotated

import typer

from deploy.cli.api import ask, campaign_or_only
from deploy.cli.approvals import ApprovalOption, executed_approval, request_approval
from deploy.cli.output import AsJson, CampaignOption, show, show_one

places = typer.Typer(help="Places after the draw: given up, passed on, corrected.", no_args_is_help=True)

ClassOption = Annotated[str, typer.Option("--class", help="Class id.")]


@places.command("list")
def list_(
    class_id: Annotated[str | None, typer.Option("--class", help="Single places of this class.")] = None,
    campaign: CampaignOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Count the places of each class by state, or list the places of one class."""
    query = "" if class_id is None else f"?class_id={class_id}"
    found = ask("lottery", "GET", f"campaigns/{campaign_or_only(campaign)}/places{query}")
    if class_id is None:
        columns = ["class_id", "capacity", "extra", "free", "held", "offered", "waiting", "gone"]
        show(found["classes"], columns, as_json=as_json, empty="no classes")
    else:
        columns = ["receipt", "state", "seats", "position", "answer_by", "why"]
        show(found["places"], columns, as_json=as_json, empty="no places in this class")


@places.command("history")
def history(campaign: CampaignOption = None, *, as_json: AsJson = False) -> None:
    """List the events after the draw with the staff ids, which the public transcript does not contain."""
    found = ask("lottery", "GET", f"campaigns/{campaign_or_only(campaign)}/places/history")["history"]
    columns = ["at", "event", "class", "seats", "reason", "actor", "approval"]
    show(found, columns, as_json=as_json, empty="nothing has happened since the draw")


@places.command("answer")
def answer(
    receipt: str,
    what: Annotated[str, typer.Argument(help="withdraw, accept, decline; on the day: present.")],
    class_id: ClassOption,
    campaign: CampaignOption = None,
) -> None:
    """Record the answer of an applicant who proved the identity by telephone or at the counter."""
    body = {"receipt": receipt, "class_id": class_id, "answer": what}
    found = ask("lottery", "POST", f"campaigns/{campaign_or_only(campaign)}/places/answers", body)["places"]
    columns = ["receipt", "class_id", "state", "position", "why"]
    show(found, columns, as_json=False, empty="no places")


@places.command("correct")
def correct(
    receipt: str,
    choice: Annotated[list[str], typer.Option(help="CLASS:SEATS, in order of preference; give one or more.")],
    approval: ApprovalOption = None,
    because: Annotated[str, typer.Option(help="wrong-decision or wrong-keying.")] = "wrong-decision",
    campaign: CampaignOption = None,
) -> None:
    """Give a wrongly refused application the result it would have had in the draw; no other result changes.

    Without an approval this requests one and prints its number; run the same command with `--approval NUMBER` once
    another person has approved it.
    """
    from shared.approvals.params import correction_params  # noqa: PLC0415
    from shared.receipts import normalise_receipt  # noqa: PLC0415

    name = campaign_or_only(campaign)
    choices = [(class_id, _seats(text)) for class_id, _, text in (one.rpartition(":") for one in choice)]
    if approval is None:
        draw = ask("lottery", "GET", f"campaigns/{name}/draw")["draw"]
        params = correction_params(draw, normalise_receipt(receipt), choices)
        typer.echo(request_approval("correct-place", name, params, because))
        return
    listed = [{"class_id": class_id, "seats": seats} for class_id, seats in choices]
    body = {"receipt": normalise_receipt(receipt), "choices": listed, "approval": executed_approval(approval)}
    show_one(ask("lottery", "POST", f"campaigns/{name}/places/corrections", body), as_json=False)


def _seats(text: str) -> int:
    if not text.isdecimal():
        raise typer.BadParameter("a choice is CLASS:SEATS, for example junior-football:1")
    return int(text)
