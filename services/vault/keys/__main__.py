"""`python -m services.vault.keys`: change the passphrase and rotate keys, on the vault's host, while the vault runs."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from services.vault.keys import rotation
from services.vault.keys.access import DEFAULT_LABEL, LABEL, MODULE, PASSPHRASE, PIN, RootAccess, token_at
from services.vault.keys.errors import TokenAwayError
from services.vault.keys.folder_lock import FolderBusyError
from services.vault.keys.keystore import Keystore
from services.vault.keys.signing_keys import PublicSigningKey, SigningKeys
from shared.errors import ConfigurationError
from shared.files import write_atomic
from shared.ids import CampaignId
from shared.settings import read_secret


def main(arguments: list[str] | None = None) -> None:
    """Run one command on KUJI_KEYSTORE_DIR with the passphrase of KUJI_PASSPHRASE_FILE, or with KUJI_TOKEN_…."""
    parser = argparse.ArgumentParser(prog="vault-keys", description="Keys of the vault (docs/operations.md).")
    parser.add_argument("--folder", type=Path, default=os.environ.get("KUJI_KEYSTORE_DIR"))
    parser.add_argument("--passphrase-file", type=Path, default=os.environ.get(PASSPHRASE))
    parser.add_argument("--token-module", type=Path, default=os.environ.get(MODULE), help="PKCS#11 library")
    parser.add_argument("--token-label", default=os.environ.get(LABEL, DEFAULT_LABEL))
    parser.add_argument("--token-pin-file", type=Path, default=os.environ.get(PIN), help="file with the token's PIN")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="signing keys and their states")
    commands.add_parser("passphrase", help="change the passphrase; the new one is read from standard input")
    commands.add_parser("rotate-root", help="seal all key files by a new root key")
    commands.add_parser("move-into-token", help="the same, with the new root key in the token")
    commands.add_parser("move-out-of-token", help="the same, with the new root key in the folder, under the passphrase")
    sealing = commands.add_parser("rotate-sealing", help="give a campaign a new sealing key")
    sealing.add_argument("campaign")
    commands.add_parser("prepare-signing", help="make the next signing key: pin it at the services, then activate it")
    commands.add_parser("activate-signing", help="let the vault sign with the prepared key")
    revoke = commands.add_parser("revoke-signing", help="mark an earlier signing key as stolen")
    revoke.add_argument("key", help="16 hex digits, from list")
    given = parser.parse_args(arguments)
    try:
        sys.stdout.write(_run(given) + "\n")
    except (ConfigurationError, TokenAwayError, FolderBusyError) as error:
        sys.exit(str(error))


def _run(given: argparse.Namespace) -> str:
    folder, file = given.folder, given.passphrase_file
    if folder is None or (file is None and given.token_module is None):
        raise ConfigurationError("name the key folder and the passphrase's file (KUJI_KEYSTORE_DIR, …), or the token")
    access = RootAccess(
        None if file is None else lambda: read_secret(file, PASSPHRASE),
        token_at(given.token_module, given.token_label, given.token_pin_file, folder, allows_doubtful_pin=True),
    )
    commands: dict[str, Callable[[], str]] = {
        "list": lambda: _list(folder, access),
        "passphrase": lambda: _change_passphrase(folder, file, access.passphrase(), sys.stdin.readline().strip()),
        "rotate-root": lambda: _rotate_root(folder, access),
        "move-into-token": lambda: _rotate_root(folder, access, into_token=True),
        "move-out-of-token": lambda: _rotate_root(folder, access, into_token=False),
        "rotate-sealing": lambda: rotation.rotate_sealing(folder, access, CampaignId(given.campaign)),
        "prepare-signing": lambda: rotation.prepare_signing_key(folder, access),
        "activate-signing": lambda: rotation.activate_signing_key(folder, access),
        "revoke-signing": lambda: _revoke(folder, given.key),
    }
    return commands[given.command]()


def _rotate_root(folder: Path, access: RootAccess, *, into_token: bool | None = None) -> str:
    return f"{rotation.rotate_root(folder, access, into_token=into_token)} files are sealed by the new root key"


def _list(folder: Path, access: RootAccess) -> str:
    active = PublicSigningKey(Keystore.open(folder, access).signing.public, "active")
    keys = [key.to_json() for key in (active, *SigningKeys(folder).earlier())]
    return "\n".join(f"{key['key']} {key['state']:8} {key['public_key']}" for key in keys)


def _change_passphrase(folder: Path, file: Path, present: str, new: str) -> str:
    rotation.change_passphrase(folder, present, new)
    write_atomic(file, new.encode("utf-8"))
    return "the passphrase was changed; the former one opens nothing but older copies of the folder"


def _revoke(folder: Path, key: str) -> str:
    SigningKeys(folder).revoke(key)
    return f"{key} is revoked: take it out of the pins of all services"


if __name__ == "__main__":
    main()
