"""The lottery's own keys: one that signs, and one per campaign that makes pass codes. Files of mode 0600, made once."""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from shared import crockford
from shared.ids import ApplicationId, CampaignId, DrawId
from shared.signing import SigningKey

_KEY_BYTES = 32
_PASS_SYMBOLS = 16


class LotteryKeys:
    """Shared by all lottery processes of an installation through one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "pass-keys").mkdir(parents=True, exist_ok=True, mode=0o700)
        self.signing = SigningKey.from_bytes(_once(folder / "signing.key"))

    def pass_code(self, campaign: CampaignId, draw: DrawId, application_id: ApplicationId) -> str:
        """What a winner shows at reception: 80 bits of HMAC-SHA-256 over draw and application, in groups of four."""
        key = _once(self._pass_key(campaign))
        code = crockford.encode(hmac.new(key, f"{draw}\x00{application_id}".encode(), hashlib.sha256).digest(), 16)
        return "-".join(code[at : at + 4] for at in range(0, _PASS_SYMBOLS, 4))

    def forget(self, campaign: CampaignId) -> None:
        """At erasure: nobody can tie a pass code to an application any more."""
        self._pass_key(campaign).unlink(missing_ok=True)

    def has_pass_key(self, campaign: CampaignId) -> bool:
        return self._pass_key(campaign).exists()

    def _pass_key(self, campaign: CampaignId) -> Path:
        return self._folder / "pass-keys" / f"{campaign}.key"


def _once(path: Path) -> bytes:
    """The file's 32 bytes; whoever comes first makes them."""
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_bytes()
