"""`./kuji people`: the first two accounts. Everything else about people is done at /desk/people by those two."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer

from deploy.cli.api import ask, read_record
from deploy.cli.output import AsJson, show_one
from shared.campaign import Campaign, load_campaigns

people = typer.Typer(help="Accounts of staff.", no_args_is_help=True)

_QUESTIONS: Final = (
    ("id", "staff id (lower-case letters and digits, e.g. suzuki-01)"),
    ("name", "name"),
    ("office", "office"),
    ("mail", "work mail address"),
    ("starts", "first day of the task (YYYY-MM-DD)"),
    ("ends", "last day of the task (YYYY-MM-DD)"),
    ("course", "training: course"),
    ("held", "training: day (YYYY-MM-DD)"),
    ("valid_until", "training: valid until (YYYY-MM-DD)"),
    ("teacher", "training: teacher"),
    ("pledged", "pledge signed on (YYYY-MM-DD)"),
)
_PEOPLE: Final = (("responsible", "the responsible handler"), ("ward", "the ward's officer"))


@people.command("first")
def first(
    file: Annotated[Path | None, typer.Option(help="JSON with `responsible` and `ward`, instead of questions.")] = None,
    *,
    invented: Annotated[
        bool, typer.Option(help="Two invented people on duty during the campaigns, to try it out.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the first two accounts and print their one-time codes, valid for 24 hours and shown this once."""
    if file is not None:
        body = json.loads(file.read_text("utf-8"))
    else:
        body = _invent() if invented else {role: _question(who) for role, who in _PEOPLE}
    codes = ask("vault", "POST", "people/first", body)
    show_one({**codes, "page": f"{read_record()['services']['vault']['pages']}/sign-in/invitation"}, as_json=as_json)


def _question(who: str) -> dict[str, str]:
    typer.echo(f"\n{who}:")
    return {field: typer.prompt(f"  {text}") for field, text in _QUESTIONS}


def _invent() -> dict[str, dict[str, str]]:
    """Return two invented people whose task covers all campaigns of the installation."""
    campaigns = load_campaigns(Path(read_record()["campaigns_dir"])).values()
    starts, ends = _period(list(campaigns))
    common = {
        "starts": starts.isoformat(),
        "ends": ends.isoformat(),
        "course": "個人情報保護研修",
        "held": starts.isoformat(),
        "valid_until": ends.isoformat(),
        "teacher": "練習用",
        "pledged": starts.isoformat(),
    }
    return {
        "responsible": {**common, "id": "suzuki-01", "name": "鈴木 花子(架空)", "office": "運営事務局"}
        | {"mail": "suzuki@office.example"},
        "ward": {
            **common,
            "id": "mori-01",
            "name": "森 次郎(架空)",
            "office": "区の担当課",
            "mail": "mori@ward.example",
        },
    }


def _period(campaigns: list[Campaign]) -> tuple[date, date]:
    """Return the first day of the earliest contract and the last of the latest close-out."""
    starts = min(campaign.contract.starts for campaign in campaigns)
    ends = max(campaign.close_out for campaign in campaigns)
    return starts.date(), ends.date()
