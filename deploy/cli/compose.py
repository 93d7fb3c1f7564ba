"""`./kuji compose`: what docker-compose.yml needs, and a rehearsal on what it brought up."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.compose import rehearsing, secrets
from deploy.local.house import HOUSE

compose = typer.Typer(help="Running on containers (docker-compose.yml).", no_args_is_help=True)


def _folder() -> Path:
    return Path(os.environ.get("KUJI_COMPOSE_DIR", HOUSE / "compose"))


@compose.command("init")
def init(
    *,
    rehearsal: Annotated[
        bool, typer.Option(help="Invented people, a movable clock, a mailbox instead of an MTA.")
    ] = False,
) -> None:
    """Make secrets, users and definitions once; says what to do next."""
    folder = _folder()
    made = secrets.make(folder, rehearsal=rehearsal)
    typer.echo(f"{'made' if made else 'kept as they are:'} {folder}")
    if rehearsal:
        rehearsing.prepare(folder)
        typer.echo(
            f"next: KUJI_CAMPAIGNS={folder / 'campaigns'} docker compose --profile rehearsal up --build --detach"
        )
        typer.echo("then: ./kuji compose rehearse")
    else:
        typer.echo(
            "next: put your mail server into vault.env (KUJI_MTA_HOST, KUJI_MTA_PORT), then docker compose up --build"
        )


@compose.command("rehearse")
def rehearse(size: Annotated[int, typer.Option(min=50, help="Applications to make up.")] = 500) -> None:
    """The whole event on the running containers. A part that cannot be checked from here is said to be unknown."""
    console = Console()
    report = rehearsing.rehearse(_folder(), size, console)
    report.show(console)
    raise typer.Exit(0 if report.passed else 1)
