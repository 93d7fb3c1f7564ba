"""`./kuji sign-in`: commands then act for the person who signed in at the vault's page."""

import typer

from deploy.cli.api import CallRefusedError, read_record, terminal_session


def sign_in() -> None:
    """Sign in at this terminal: the vault's page shows a code, and commands then act for you."""
    pages = read_record()["services"]["vault"]["pages"]
    typer.echo(f"open {pages}/desk/terminal, sign in, and type the code that it shows", err=True)
    session = terminal_session()
    answer = session.request("vault", "POST", "/sign-in/terminal", {}, {"code": typer.prompt("code")})
    if answer.is_error:
        raise CallRefusedError("the code is wrong, was used, or is older than five minutes; ask the page for a new one")
    session.keep(dict(answer.cookies.items()))
    typer.echo(f"draw and reception commands act for {answer.json()['id']}; end the session at {pages}/desk/me")


def sign_out() -> None:
    """End the sign-in of this terminal: commands then carry the services' tokens again."""
    terminal_session().end()
    typer.echo("signed out")
