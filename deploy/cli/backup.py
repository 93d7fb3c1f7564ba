"""Backups and their restoring: databases and key folder, each for itself."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from shared.errors import ConfigurationError
from shared.service_names import SERVICES

backup = typer.Typer(
    help="Copy the databases, or the vault's key folder; never both to one place.", no_args_is_help=True
)
restore = typer.Typer(help="Bring a copy back; what was erased since stays erased.", no_args_is_help=True)

DATABASES = (*(f"kuji_{service}" for service in SERVICES), "kuji_vault_audit")

File = Annotated[Path, typer.Argument(dir_okay=False, help="The archive.")]
KeyFolder = Annotated[Path, typer.Option(envvar="KUJI_KEYSTORE_DIR", help="The vault's key folder.")]


def _url() -> str:
    """Return the URL of a user who may read, or write, all databases. Raises ConfigurationError."""
    from shared.cleartext import refuse_cleartext_to_database  # noqa: PLC0415

    url = os.environ.get("KUJI_MONGO_URL")
    if not url:
        raise ConfigurationError("set KUJI_MONGO_URL to a user of MongoDB who may read all databases")
    refuse_cleartext_to_database(url, one_host=os.environ.get("KUJI_ONE_HOST_NETWORK") == "true")
    return url


def _without(file: Path, other: str) -> None:
    """Refuse a folder that holds the other kind of archive."""
    if any(path.name.startswith(other) for path in file.resolve().parent.iterdir()):
        raise ConfigurationError(f"there is a file {other}… in this folder: databases and keys are kept apart")


@backup.command("data")
def backup_data(file: File) -> None:
    """Copy all databases, at one moment, into a file called `data…`."""
    from deploy.backup import databases  # noqa: PLC0415

    _named(file, "data")
    _without(file, "keys")
    manifest = databases.dump(_url(), DATABASES, file)
    for name, collections in manifest["databases"].items():
        typer.echo(f"{name}: {sum(each['documents'] for each in collections.values())} documents")


@backup.command("keys")
def backup_keys(
    file: File, keystore: KeyFolder, days: Annotated[int, typer.Option(min=1, help="Days until it is destroyed.")]
) -> None:
    """Copy the key folder into a file called `keys…`, and record until when it is kept."""
    from deploy.backup import key_folder  # noqa: PLC0415

    _named(file, "keys")
    _without(file, "data")
    typer.echo(f"SHA-256 {key_folder.copy(keystore, file, timedelta(days=days))}; destroy it within {days} days")


@restore.command("keys")
def restore_keys(
    file: File,
    keystore: KeyFolder,
    certificate: Annotated[
        list[Path] | None, typer.Option(exists=True, help="Certificate of an erasure since the copy (JSON).")
    ] = None,
    *,
    none_erased: Annotated[bool, typer.Option(help="No campaign was erased since the copy was made.")] = False,
) -> None:
    """Bring the key folder back, without the keys of campaigns that were erased since. First of the two."""
    from deploy.backup import key_folder  # noqa: PLC0415

    if bool(certificate) is none_erased:
        raise ConfigurationError("give the certificates of all erasures since the copy, or say --none-erased")
    for one in key_folder.restore(file, keystore, certificate or []):
        typer.echo(f"{one.campaign}: erased, and stays so")


@restore.command("data")
def restore_data(file: File, keystore: KeyFolder) -> None:
    """Bring the databases back into an empty MongoDB.

    What the key folder calls erased is erased again: campaigns here, single people by the vault when it starts.
    """
    from deploy.backup import databases, key_folder  # noqa: PLC0415
    from services.vault.keys.erased_people import list_erased_people  # noqa: PLC0415

    loaded = databases.load(_url(), file, key_folder.list_destroyed(keystore))
    if people := list_erased_people(keystore):
        typer.echo(f"start the vault before the other services: it erases {len(people)} people again")
    for name, count in loaded.items():
        typer.echo(f"{name}: {count} documents")


def _named(file: Path, kind: str) -> None:
    if not file.name.startswith(kind):
        raise ConfigurationError(f"call the file {kind}…, so that nobody takes it for the other kind")
