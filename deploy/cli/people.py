"""`./kuji people`: the first two accounts. Everything else about people is done at /desk/people by those two."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from deploy.cli.api import addresses, call_with_token, read_record, record_file
from deploy.cli.output import AsJson, show, show_one

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
    as_json: AsJson = False,
) -> None:
    """Make the first two accounts and print their one-time codes, valid for 24 hours and shown this once."""
    given = json.loads(file.read_text("utf-8")) if file is not None else None
    body = given or {role: _question(who) for role, who in _PEOPLE}
    codes = call_with_token("vault", "POST", "people/first", read_record()["setup_token_file"], body).json()
    show_one({**codes, "page": f"{read_record()['services']['vault']['pages']}/sign-in/invitation"}, as_json=as_json)


@people.command("invent")
def invent(*, as_json: AsJson = False) -> None:
    """Make invented people of all roles in a rehearsal and print how they sign in; ./kuji sign-in --as ID uses them."""
    from deploy.people import enrolment, invented  # noqa: PLC0415  (only rehearsals need it)
    from shared.campaign import load_campaigns  # noqa: PLC0415  (as above)

    record = read_record()
    if record["clock_file"] is None:
        raise typer.BadParameter("invented people are for rehearsals: ./kuji up --rehearsal")
    folder = record_file().parent
    accounts = invented.read_accounts(folder)
    if not accounts:
        wanted = invented.invent(*invented.on_duty(load_campaigns(Path(record["campaigns_dir"])).values()))
        token = Path(record["setup_token_file"]).read_text("utf-8").strip()
        accounts = [person.account for person in enrolment.enrol_all(addresses(), token, wanted)]
        invented.write_accounts(folder, accounts)
    rows = [{"id": made.id, "roles": made.roles, "password": made.password, "totp": made.totp} for made in accounts]
    show(rows, ("id", "roles", "password", "totp"), as_json=as_json, empty="nobody")
    typer.echo(f"kept in {folder / invented.FILE}; sign in at {record['services']['vault']['pages']}/sign-in", err=True)


def _question(who: str) -> dict[str, str]:
    typer.echo(f"\n{who}:")
    return {field: typer.prompt(f"  {text}") for field, text in _QUESTIONS}
