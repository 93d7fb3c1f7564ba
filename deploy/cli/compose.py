"""`./kuji compose`: what docker-compose.yml needs, and a rehearsal on what it brought up."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.compose import rehearsing, secrets
from deploy.local.house import HOUSE, ROOT
from shared.campaign import load_campaigns

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
    """Make secrets, users and definitions; says what to do next. What was made before is kept."""
    folder = _folder()
    made = secrets.make(folder, rehearsal=rehearsal)
    typer.echo(f"{'made' if made else 'kept, with the definitions renewed'}: {folder}")
    if rehearsal:
        rehearsing.prepare(folder)
        _record(folder, folder / "campaigns")
        typer.echo(
            f"next: export KUJI_COMPOSE_DIR={folder} KUJI_CAMPAIGNS={folder / 'campaigns'}\n"
            "      docker compose --profile rehearsal up --build --detach\n"
            "then: ./kuji compose rehearse"
        )
    else:
        _record(folder, Path(os.environ.get("KUJI_CAMPAIGNS", ROOT / "deploy" / "campaigns")))
        typer.echo(
            f"next: write KUJI_MTA_HOST and KUJI_MTA_PORT of your mail server into {folder / 'vault.env'}\n"
            f"      export KUJI_COMPOSE_DIR={folder}\n"
            "      docker compose up --build --detach"
        )


def _record(folder: Path, campaigns: Path) -> None:
    """What the staff commands of ./kuji need to find their way: addresses and token files, no secret."""
    doors = {
        service: {
            "url": f"http://127.0.0.1:{os.environ.get(f'KUJI_{service.upper()}_PORT', port)}",
            "token_file": str(folder / service / "ops-token"),
        }
        for service, port in rehearsing.PORTS.items()
    }
    record = {"v": 1, "campaigns": [str(name) for name in sorted(load_campaigns(campaigns))], "services": doors}
    (folder / "installation.json").write_text(json.dumps(record))
    typer.echo(f"staff: export KUJI_INSTALLATION={folder / 'installation.json'}, then ./kuji status")


@compose.command("rehearse")
def rehearse(size: Annotated[int, typer.Option(min=50, help="Applications to make up.")] = 500) -> None:
    """The whole event on the running containers. A part that cannot be checked from here is said to be unknown."""
    console = Console()
    report = rehearsing.rehearse(_folder(), size, console)
    report.show(console)
    raise typer.Exit(0 if report.passed else 1)
