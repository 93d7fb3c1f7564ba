"""Change the passphrase, and rotate the keys of a folder while vault processes use it.

Each step leaves a folder that opens: a step that was killed is repeated. Who runs it needs the passphrase, and so
holds more than any account of the vault.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from services.vault.keys.campaign_keys import CampaignKeys, SealingSecret
from services.vault.keys.ciphers.envelope import KEY_BYTES
from services.vault.keys.folder_lock import folder_lock
from services.vault.keys.keystore import Keystore, bound_to_campaign, decrypt_by_any, wrap
from services.vault.keys.root_file import RootFile, Roots, check_passphrase
from services.vault.keys.signing_keys import NEXT_FILE, SIGNING_FILE, SigningKeys
from shared.encoding import unb64url
from shared.errors import ConfigurationError
from shared.files import overwrite_and_remove, write_atomic
from shared.ids import CampaignId, KeyId
from shared.signing import SigningKey

_FOLLOWS: Final = timedelta(seconds=1)
"""A sealing key ends this much after the one before it, so that intake hands out the newest."""


def change_passphrase(folder: Path, present: str, new: str) -> None:
    """Seal the root key by another passphrase. Processes that run go on. Raises ConfigurationError."""
    check_passphrase(new)
    with folder_lock(folder, alone=True):
        file = RootFile(folder)
        file.write(file.open(present), new)


def rotate_root(folder: Path, passphrase: str) -> int:
    """Seal every key file by a new root key, and return how many. Campaign keys and data stay what they are.

    While this runs both root keys open; afterwards only the new one. Raises ConfigurationError.
    """
    with folder_lock(folder, alone=True):
        file = RootFile(folder)
        roots = file.open(passphrase)
        if len(roots) > 1:  # an earlier rotation was interrupted
            _seal_again(folder, roots)
        new = (secrets.token_bytes(KEY_BYTES), roots[0])
        file.write(new, passphrase)
        count = _seal_again(folder, new)
        file.write(new[:1], passphrase)
    return count


def rotate_sealing(folder: Path, passphrase: str, campaign: CampaignId) -> KeyId:
    """Give a campaign a new sealing key, and return its id. Earlier ones still open what was sealed for them.

    Raises ConfigurationError for a campaign without keys or one that was erased.
    """
    path = folder / "campaigns" / f"{campaign}.json"
    if not path.exists():
        raise ConfigurationError("this campaign has no keys here; give the id of one that the vault has started")

    def with_new_key(plaintext: bytes) -> bytes:
        keys = CampaignKeys.from_json(plaintext)
        added = SealingSecret.generate(campaign, keys.current.not_after + _FOLLOWS)
        return replace(keys, sealing=(*keys.sealing, added)).to_json()

    with folder_lock(folder, alone=True):
        roots = RootFile(folder).open(passphrase)
        changed = _change(path, roots, bound_to_campaign(campaign), with_new_key)
    return CampaignKeys.from_json(changed).current.key_id


def prepare_signing_key(folder: Path, passphrase: str) -> str:
    """Make the signing key that comes next, and return its public half.

    Services that read what the vault signs pin it beside the present one; then it is activated.
    """
    keystore = Keystore.open(folder, passphrase)
    return keystore.signing_keys.prepare(keystore.load).public


def activate_signing_key(folder: Path, passphrase: str) -> str:
    """Let the vault sign with the key that was prepared; return its public half. Raises ConfigurationError without one.

    What the present key signed stays valid as long as that key is pinned.
    """
    with folder_lock(folder, alone=True):
        roots = RootFile(folder).open(passphrase)
        if not (folder / NEXT_FILE).exists():
            raise ConfigurationError("no signing key was prepared; do that first, and pin it at the services")
        present, coming = (
            SigningKey.from_bytes(bytes(_open(folder / name, roots, bound)))
            for name, bound in ((SIGNING_FILE, "kuji/signing/1"), (NEXT_FILE, "kuji/signing-next/1"))
        )
        SigningKeys(folder).retire(present.public)
        write_atomic(folder / SIGNING_FILE, wrap(roots[0], coming.to_bytes(), "kuji/signing/1"))
        overwrite_and_remove(folder / NEXT_FILE)
    return coming.public


def _seal_again(folder: Path, roots: Roots) -> int:
    """Seal every key file by the first root key."""
    files = [(path, _bound_to(path)) for path in (*folder.glob("*.json"), *(folder / "campaigns").glob("*.json"))]
    for path, bound_to in files:
        if bound_to is not None:
            _change(path, roots, bound_to, lambda plaintext: plaintext)
    return sum(bound_to is not None for _, bound_to in files)


def _bound_to(path: Path) -> str | None:
    """Return what the content of a file is bound to; None for files without a sealed key."""
    if path.parent.name == "campaigns":
        return bound_to_campaign(CampaignId(path.stem))
    known = {
        SIGNING_FILE: "signing", NEXT_FILE: "signing-next", "bounce.json": "bounce-key", "staff.json": "staff-key",
    }  # fmt: skip
    return f"kuji/{known[path.name]}/1" if path.name in known else None


def _change(path: Path, roots: Roots, bound_to: str, change: Callable[[bytes], bytes]) -> bytes:
    """Open a key file by any root key, and seal what `change` makes of it by the first. Return that."""
    changed = change(bytes(_open(path, roots, bound_to)))
    write_atomic(path, wrap(roots[0], changed, bound_to))
    return changed


def _open(path: Path, roots: Roots, bound_to: str) -> bytearray:
    return decrypt_by_any(roots, unb64url(json.loads(path.read_bytes())["wrapped"]), bound_to)
