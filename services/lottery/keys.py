"""Hold the lottery's own keys: a signing key, and for each campaign a key for pass codes. Files have mode 0600."""

import hashlib
import hmac
import secrets
from pathlib import Path

from shared import crockford
from shared.files import create_once, overwrite_and_remove
from shared.ids import ApplicationId, CampaignId, DrawId
from shared.signing import SigningKey

_KEY_BYTES = 32
_PASS_SYMBOLS = 16


class LotteryKeys:
    """Keys in one folder, which all lottery processes of an installation share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "pass-keys").mkdir(parents=True, exist_ok=True, mode=0o700)
        self.signing = SigningKey.from_bytes(create_once(folder / "signing.key", _new_key))

    def pass_code(self, campaign: CampaignId, draw: DrawId, application_id: ApplicationId) -> str:
        """Return the pass code: 80 bits of HMAC-SHA-256 (RFC 2104) over draw and application, in groups of four."""
        key = create_once(self._pass_key(campaign), _new_key)
        code = crockford.encode(hmac.new(key, f"{draw}\x00{application_id}".encode(), hashlib.sha256).digest(), 16)
        return "-".join(code[at : at + 4] for at in range(0, _PASS_SYMBOLS, 4))

    def forget(self, campaign: CampaignId) -> None:
        """Destroy the campaign's key, so that a pass code no longer leads to an application."""
        overwrite_and_remove(self._pass_key(campaign))

    def has_pass_key(self, campaign: CampaignId) -> bool:
        """Return True until the campaign's key is destroyed, if it was ever needed."""
        return self._pass_key(campaign).exists()

    def _pass_key(self, campaign: CampaignId) -> Path:
        return self._folder / "pass-keys" / f"{campaign}.key"


def _new_key() -> bytes:
    return secrets.token_bytes(_KEY_BYTES)
