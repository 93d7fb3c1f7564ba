"""`./kuji compose`: what docker-compose.yml needs, and a rehearsal on what it brought up."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deploy.cli.api import call_public
from deploy.local.paths import ROOT, STATE
from shared.errors import ConfigurationError

if TYPE_CHECKING:
    from deploy.compose.images import Unfixed
    from deploy.compose.secrets import Made

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
    instances: Annotated[int, typer.Option(min=1, max=3, help="Instances of each service.")] = 1,
    tls: Annotated[
        bool, typer.Option("--tls", help="TLS to RabbitMQ and MongoDB, by an authority of this installation.")
    ] = False,
    tls_name: Annotated[
        list[str] | None, typer.Option(help="PART=NAME: another host name or address of a part, in its certificate.")
    ] = None,
) -> None:
    """Make secrets, users and definitions; says what to do next. What was made before is kept."""
    from deploy.compose import instances as several  # noqa: PLC0415
    from deploy.compose import record, secrets  # noqa: PLC0415
    from deploy.compose.front import Front  # noqa: PLC0415
    from deploy.compose.images import find_unfixed  # noqa: PLC0415
    from deploy.compose.tls import is_on  # noqa: PLC0415

    folder = _folder()
    names = _tls_names(tls_name or []) if tls or tls_name else None
    if tls_name and not tls and not is_on(folder):
        raise ConfigurationError(
            "--tls-name names a part in its certificate, but this installation has none; add --tls to switch TLS on"
        )
    unfixed = find_unfixed(front=domain is not None or Front.read(folder) is not None)
    made = secrets.make(
        folder, rehearsal=rehearsal, front=None if domain is None else Front.of(domain), tls_names=names
    )
    typer.echo(f"{'made' if made.new else 'kept, with the definitions renewed'}: {folder}")
    _tell_of_certificates(folder, made)
    from deploy.compose import rehearse as compose_rehearsal  # noqa: PLC0415  (half a second that only rehearsals need)

    if rehearsal:
        compose_rehearsal.prepare(folder)
    given = Path(os.environ.get("KUJI_CAMPAIGNS", ROOT / "deploy" / "campaigns")).resolve()
    campaigns = folder / "campaigns" if rehearsal else given
    record_path = record.write(folder, campaigns, compose_rehearsal.clock_file(folder) if rehearsal else None)
    _tell_of_images(unfixed)
    if not rehearsal:
        typer.echo(f"first: write KUJI_MTA_HOST and KUJI_MTA_PORT of your mail server into {folder / 'vault.env'}")
    typer.echo(f"next: export KUJI_COMPOSE_DIR={folder} KUJI_CAMPAIGNS={campaigns} KUJI_INSTALLATION={record_path}")
    more = several.write(folder, instances)
    if Front.read(folder) is not None:
        typer.echo(f"front: KUJI_TLS in {folder / 'front.env'}; certificate and key go to {folder / 'front'}")
    profiles = f"{'--profile rehearsal ' if rehearsal else ''}{'--profile tls ' if Front.read(folder) else ''}"
    files = f"--file docker-compose.yml --file {more} " if instances > 1 else ""
    typer.echo(f"      docker compose {files}{profiles}up --build --detach")
    typer.echo(f"then: {'./kuji compose rehearse' if rehearsal else './kuji status, and ./kuji compose pin'}")


def _tell_of_images(unfixed: "list[Unfixed]") -> None:
    """Say which images a later pull may exchange, and how each is fixed."""
    if unfixed:
        typer.echo(f"warning: images by tag, which may be other bytes tomorrow. Write into {ROOT / '.env'}:")
    for one in unfixed:
        typer.echo(f"      {one.variable}=@sha256:…    (docker buildx imagetools inspect {one.image} shows it)")


def _tell_of_certificates(folder: Path, made: "Made") -> None:
    """Say which parts must be restarted for their new certificates, and that the authority ends."""
    from deploy.compose.tls import AUTHORITY, ends_soon  # noqa: PLC0415

    if made.renewed and not made.new:
        typer.echo(f"new certificates: {', '.join(made.renewed)}; these parts must be restarted, and their instances:")
        typer.echo(f"      docker compose restart {' '.join(made.renewed)}")
    ends = ends_soon(folder)
    if ends is not None:
        typer.echo(
            f"the authority ends on {ends:%Y-%m-%d}, and every certificate with it: before that day, delete "
            f"{folder / AUTHORITY} outside a campaign, run this again with --tls, and restart all parts together"
        )


def _tls_names(given: list[str]) -> dict[str, list[str]]:
    """Return part → further names. Raises ConfigurationError."""
    from shared.contracts import SERVICES  # noqa: PLC0415

    names: dict[str, list[str]] = {}
    for each in given:
        part, _, name = each.partition("=")
        if part not in {"rabbitmq", "mongo", *SERVICES} or not name:
            raise ConfigurationError("--tls-name is PART=NAME, as in rabbitmq=broker.office.example")
        names.setdefault(part, []).append(name)
    return names


@compose.command("pin")
def pin() -> None:
    """Hand the vault's public signing key to intake, whose form trusts no other and is shut without it."""
    from deploy.compose import secrets  # noqa: PLC0415

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
