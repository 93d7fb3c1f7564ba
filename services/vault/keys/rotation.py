"""Change the passphrase, and rotate the keys of a folder while vault processes use it.

Each step leaves a folder that opens: a step that was killed is repeated. Who runs it needs the passphrase, and so
holds more than any account of the vault.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from services.vault.keys.access import RootAccess
from services.vault.keys.campaign_keys import CampaignKeys, SealingSecret, bound_to_campaign
from services.vault.keys.ciphers.envelope import NotDecryptableError
from services.vault.keys.folder_lock import folder_lock
from services.vault.keys.keystore import Keystore
from services.vault.keys.root_file import RootFile, check_passphrase
from services.vault.keys.roots import FORMER, KeyFile, Root, Roots, TokenRoot, open_by_any
from services.vault.keys.signing_keys import NEXT_FILE, SIGNING_FILE, SigningKeys
from shared.errors import ConfigurationError
from shared.files import overwrite_and_remove, write_atomic
from shared.ids import CampaignId, KeyId
from shared.signing import SigningKey

_FOLLOWS: Final = timedelta(seconds=1)
"""A sealing key ends this much after the one before it, so that intake hands out the newest."""


Access = str | RootAccess
"""What opens the root key: the passphrase alone, or passphrase and token."""


def change_passphrase(folder: Path, present: str, new: str) -> None:
    """Seal the root key by another passphrase. Processes that run go on. Raises ConfigurationError."""
    check_passphrase(new)
    with folder_lock(folder, alone=True):
        file = RootFile(folder, RootAccess.of(present))
        if file.is_in_token():
            raise ConfigurationError("the root key lies in a token; its PIN is changed by the token's own tool")
        RootFile(folder, RootAccess.of(new)).write(file.open())


def rotate_root(folder: Path, access: Access, *, into_token: bool | None = None) -> int:
    """Seal every key file by a new root key, and return how many. Campaign keys and data stay what they are.

    While this runs both root keys open; afterwards only the new one, and the token has no key that no file names.
    `into_token`: move the root key into the token or out of it; it stays where it is by default. Raises
    ConfigurationError, TokenAwayError.
    """
    with folder_lock(folder, alone=True):
        file = RootFile(folder, RootAccess.of(access))
        roots = file.open()
        for path, bound_to in _key_files(folder):
            _open(path, roots, bound_to)  # before anything is changed: all of them open
        if len(roots) > 1:  # an earlier rotation was interrupted
            _finish(file, folder, roots)
        new = file.make(in_token=file.is_in_token() if into_token is None else into_token)
        roots = (new, roots[0])
        file.write(roots)
        return _finish(file, folder, roots)


def _finish(file: RootFile, folder: Path, roots: Roots) -> int:
    """Seal every key file by the first root key, destroy the others in the token, and forget them."""
    count = _seal_again(folder, roots)
    in_token = [root for root in roots if isinstance(root, TokenRoot)]
    named = {kept["key"] for path, _ in _key_files(folder) if "key" in (kept := json.loads(path.read_bytes()))}
    for root in in_token:
        root.token.destroy_others(root.group, named | {root.key for root in in_token if root is roots[0]})
    file.write(roots[:1])
    return count


def rotate_sealing(folder: Path, access: Access, campaign: CampaignId) -> KeyId:
    """Give a campaign a new sealing key, and return its id. Earlier ones still open what was sealed for them.

    Raises ConfigurationError for a campaign without keys or one that was erased.
    """
    path = folder / "campaigns" / f"{campaign}.json"
    if not path.exists() or _has_tombstone(path):
        raise ConfigurationError("this campaign has no keys here; give the id of one that the vault has started")

    def with_new_key(plaintext: bytes) -> bytes:
        keys = CampaignKeys.from_json(plaintext)
        added = SealingSecret.generate(campaign, keys.current.not_after + _FOLLOWS)
        return replace(keys, sealing=(*keys.sealing, added)).to_json()

    with folder_lock(folder, alone=True):
        roots = RootFile(folder, RootAccess.of(access)).open()
        changed = _change(path, roots, bound_to_campaign(campaign), with_new_key)
    return CampaignKeys.from_json(changed).current.key_id


def prepare_signing_key(folder: Path, access: Access) -> str:
    """Make the signing key that comes next, and return its public half.

    Services that read what the vault signs pin it beside the present one; then it is activated.
    """
    keystore = Keystore.open(folder, access)
    return keystore.signing_keys.prepare(keystore.load).public


def activate_signing_key(folder: Path, access: Access) -> str:
    """Let the vault sign with the key that was prepared; return its public half. Raises ConfigurationError without one.

    What the present key signed stays valid as long as that key is pinned.
    """
    with folder_lock(folder, alone=True):
        roots = RootFile(folder, RootAccess.of(access)).open()
        if not (folder / NEXT_FILE).exists():
            raise ConfigurationError("no signing key was prepared; do that first, and pin it at the services")
        present, coming = (
            SigningKey.from_bytes(bytes(_open(folder / name, roots, bound)))
            for name, bound in ((SIGNING_FILE, "kuji/signing/1"), (NEXT_FILE, "kuji/signing-next/1"))
        )
        SigningKeys(folder).retire(present.public)
        write_atomic(folder / SIGNING_FILE, _sealed(roots[0], coming.to_bytes(), "kuji/signing/1"))
        overwrite_and_remove(folder / NEXT_FILE)
    return coming.public


def _seal_again(folder: Path, roots: Roots) -> int:
    """Seal every key file by the first root key."""
    files = _key_files(folder)
    for path, bound_to in files:
        _change(path, roots, bound_to, lambda plaintext: plaintext)
    return len(files)


def _key_files(folder: Path) -> list[tuple[Path, str]]:
    """Return the files with a sealed key, each with what it is bound to.

    A campaign's file beside its tombstone is left over by an erasure that was killed, and never sealed again.
    """
    files = ((path, _bound_to(path)) for path in (*folder.glob("*.json"), *(folder / "campaigns").glob("*.json")))
    return [(path, bound_to) for path, bound_to in files if bound_to is not None and not _has_tombstone(path)]


def _bound_to(path: Path) -> str | None:
    """Return what the content of a file is bound to; None for files without a sealed key."""
    if _is_campaign(path):
        return bound_to_campaign(CampaignId(path.stem))
    known = {
        SIGNING_FILE: "signing", NEXT_FILE: "signing-next", "bounce.json": "bounce-key", "staff.json": "staff-key",
    }  # fmt: skip
    return f"kuji/{known[path.name]}/1" if path.name in known else None


def _change(path: Path, roots: Roots, bound_to: str, change: Callable[[bytes], bytes]) -> bytes:
    """Open a key file by any root key, and seal what `change` makes of it by the first. Return that.

    A campaign's file names the token's key that it had before: where this is killed, an erasure destroys that one, too.
    """
    before: KeyFile = json.loads(path.read_bytes())
    changed = change(bytes(_open(path, roots, bound_to)))
    if not _is_campaign(path):
        write_atomic(path, _sealed(roots[0], changed, bound_to))
        return changed
    for root in roots:
        root.discard({FORMER: before[FORMER]} if FORMER in before else {})
    sealed = roots[0].seal(changed, bound_to, own_key=True)
    former = {FORMER: before["key"]} if "key" in before else {}
    write_atomic(path, json.dumps({**sealed, **former}).encode("utf-8"))
    for root in roots:
        root.discard(before)
    return changed


def _is_campaign(path: Path) -> bool:
    return path.parent.name == "campaigns"


def _has_tombstone(path: Path) -> bool:
    return _is_campaign(path) and path.with_suffix(".destroyed").exists()


def _sealed(root: Root, plaintext: bytes, bound_to: str) -> bytes:
    return json.dumps(root.seal(plaintext, bound_to, own_key=False)).encode("utf-8")


def _open(path: Path, roots: Roots, bound_to: str) -> bytearray:
    """Open a key file by any root key. Raises ConfigurationError for one whose key the token lacks."""
    try:
        return open_by_any(roots, json.loads(path.read_bytes()), bound_to)
    except NotDecryptableError as error:
        raise ConfigurationError(
            f"{path.name} does not open: {error}. Put in the right token, if this is an older one; if the campaign was "
            "erased, restore the key folder again with its certificate"
        ) from None
