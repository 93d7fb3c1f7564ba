"""`./kuji service-keys`: the keys with which services sign their events, receipts and erasure answers."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deploy.cli.installation import HOME
from deploy.cli.output import AsJson, show
from shared.errors import ConfigurationError
from shared.service_names import SERVICES

if TYPE_CHECKING:
    from deploy.local.service_keys import KeyFolders

service_keys = typer.Typer(help="Keys with which services sign (docs/operations.md).", no_args_is_help=True)

_Use = Literal["service", "signing"]
"""`shared.service_keys.KeyUse`, whose module takes long to import."""

_COLUMNS = ("service", "use", "key", "state", "public_key")


def key_folders() -> "KeyFolders":
    """Return the folders of the containers where KUJI_COMPOSE_DIR names them, else those of ./kuji up.

    Raises ConfigurationError where there are no keys.
    """
    from deploy.compose import secrets as compose  # noqa: PLC0415
    from deploy.local.service_keys import KeyFolders  # noqa: PLC0415  (with the packages of signing)

    containers = os.environ.get("KUJI_COMPOSE_DIR")
    folders = (
        compose.service_keys(Path(containers).resolve())
        if containers
        else KeyFolders.below(HOME / "secrets" / "service-keys", SERVICES)
    )
    if not folders.public_keys():
        raise ConfigurationError("there are no service keys here; run ./kuji up, or set KUJI_COMPOSE_DIR")
    return folders


@service_keys.command("list")
def list_keys(*, as_json: AsJson = False) -> None:
    """List all public keys with their states."""
    rows = [key.to_json() for key in key_folders().public_keys()]
    show(rows, _COLUMNS, as_json=as_json, empty="no service keys")


@service_keys.command("rotate")
def rotate(
    service: Annotated[str, typer.Argument(help=", ".join(SERVICES))],
    use: Annotated[_Use, typer.Option(help="`signing`: the lottery's key of records, slips and passes.")] = "service",
) -> None:
    """Give a service a new key while it runs. What the old key signed stays valid."""
    if service not in SERVICES:
        raise ConfigurationError(f"no service of that name; there are {', '.join(SERVICES)}")
    added = key_folders().rotate(service, use)
    typer.echo(f"{service} signs with {added.key} within a second; revoke the old key if it was stolen")


@service_keys.command("revoke")
def revoke(key: Annotated[str, typer.Argument(help="16 hex digits, from `list`")]) -> None:
    """Refuse everything that a stolen key signed, also messages that wait. Rotate the service first."""
    key_folders().revoke(key)
    typer.echo(f"{key} is refused everywhere within a second")
