"""`./kuji sign-in`: every command then acts, at every service, for the person who signed in at the vault's page."""

from typing import Annotated

import typer

from deploy.cli.api import CallRefusedError, addresses, read_record, record_file, terminal_session


def sign_in(
    invented: Annotated[
        str | None, typer.Option("--as", help="Rehearsals only: id of a person whom ./kuji people invent made.")
    ] = None,
) -> None:
    """Sign in at this terminal: the vault's page shows a code, and commands then act for you."""
    if invented is not None:
        _sign_in_as(invented)
        return
    pages = read_record()["services"]["vault"]["pages"]
    typer.echo(f"open {pages}/desk/terminal, sign in, and type the code that it shows", err=True)
    answer = terminal_session().take_code(typer.prompt("code"))
    if answer.is_error:
        raise CallRefusedError("the code is wrong, was used, or is older than five minutes; ask the page for a new one")
    typer.echo(f"commands act for {answer.json()['id']}; end the session at {pages}/desk/me")


def sign_out() -> None:
    """End the sign-in of this terminal."""
    terminal_session().end()
    typer.echo("signed out")


def _sign_in_as(staff_id: str) -> None:
    """Sign in an invented person with the password and the secret that `./kuji people invent` kept."""
    from deploy.people.enrolment import sign_in as sign_in_person  # noqa: PLC0415  (only rehearsals need it)
    from deploy.people.invented import read_accounts  # noqa: PLC0415  (as above)

    accounts = {account.id: account for account in read_accounts(record_file().parent)}
    if staff_id not in accounts:
        raise typer.BadParameter(f"no invented person has this id; there are: {', '.join(accounts) or 'none'}")
    terminal_session().keep(sign_in_person(addresses(), accounts[staff_id]).browser)
    typer.echo(f"commands act for {staff_id}")
