"""`./kuji compose`: what docker-compose.yml needs, and a rehearsal on what it brought up."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.cli.api import call_public
from deploy.compose import record, secrets
from deploy.compose.front import Front
from deploy.local.paths import ROOT, STATE

compose = typer.Typer(help="Running on containers (docker-compose.yml).", no_args_is_help=True)


def _folder() -> Path:
    return Path(os.environ.get("KUJI_COMPOSE_DIR", STATE / "compose")).resolve()


@compose.command("init")
def init(
    *,
    rehearsal: Annotated[
        bool, typer.Option(help="Invented people, a movable clock, a mailbox instead of an MTA.")
    ] = False,
    domain: Annotated[
        str | None, typer.Option(help="Domain of the TLS front; each service has a name below it (vault.DOMAIN).")
    ] = None,
) -> None:
    """Make secrets, users and definitions; says what to do next. What was made before is kept."""
    folder = _folder()
    made = secrets.make(folder, rehearsal=rehearsal, front=None if domain is None else Front.of(domain))
    typer.echo(f"{'made' if made else 'kept, with the definitions renewed'}: {folder}")
    from deploy.compose import rehearse as compose_rehearsal  # noqa: PLC0415  (half a second that only rehearsals need)

    if rehearsal:
        compose_rehearsal.prepare(folder)
    given = Path(os.environ.get("KUJI_CAMPAIGNS", ROOT / "deploy" / "campaigns")).resolve()
    campaigns = folder / "campaigns" if rehearsal else given
    record_path = record.write(folder, campaigns, compose_rehearsal.clock_file(folder) if rehearsal else None)
    if not rehearsal:
        typer.echo(f"first: write KUJI_MTA_HOST and KUJI_MTA_PORT of your mail server into {folder / 'vault.env'}")
    typer.echo(f"next: export KUJI_COMPOSE_DIR={folder} KUJI_CAMPAIGNS={campaigns} KUJI_INSTALLATION={record_path}")
    if Front.read(folder) is not None:
        typer.echo(f"front: KUJI_TLS in {folder / 'front.env'}; certificate and key go to {folder / 'front'}")
    profiles = f"{'--profile rehearsal ' if rehearsal else ''}{'--profile tls ' if Front.read(folder) else ''}"
    typer.echo(f"      docker compose {profiles}up --build --detach")
    typer.echo(f"then: {'./kuji compose rehearse' if rehearsal else './kuji status, and ./kuji compose pin'}")


@compose.command("pin")
def pin() -> None:
    """Hand the vault's public signing key to intake, whose form trusts no other and is shut without it."""
    keys = call_public("vault", "signing-key").json()["keys"]
    pinned = [key["public_key"] for key in keys if key["state"] != "revoked"]
    secrets.pin(_folder(), "\n".join(pinned))
    for key in pinned:
        typer.echo(f"pinned {key}: compare it with the key that the vault's staff wrote down")


@compose.command("rehearse")
def rehearse(size: Annotated[int, typer.Option(min=50, help="Applications to make up.")] = 500) -> None:
    """Play the whole event on the running containers. A part that cannot be checked from here is UNKNOWN."""
    console = Console()
    from deploy.compose import rehearse as compose_rehearsal  # noqa: PLC0415  (half a second that only rehearsals need)

    report = compose_rehearsal.rehearse(_folder(), size, console)
    report.show(console)
    raise typer.Exit(0 if report.passed else 1)
